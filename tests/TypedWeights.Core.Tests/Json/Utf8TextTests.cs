using System.Text;
using System.Text.Unicode;
using TypedWeights.Json;

namespace TypedWeights.Tests.Json;

public sealed class Utf8TextTests
{
    [Fact]
    public void The_first_byte_that_is_not_UTF8_is_found_at_every_position()
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("plain é 😀 ", 40)));
        Assert.Equal(-1, Utf8Text.IndexOfInvalid(text));
        Assert.Equal(-1, Utf8Text.IndexOfInvalid([]));
        var random = new Random(3);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bad = [.. text];
            bad[random.Next(bad.Length)] = (byte)random.Next(256);
            int expected = Utf8.IsValid(bad) ? -1 : FirstInvalid(bad);
            Assert.Equal(expected, Utf8Text.IndexOfInvalid(bad));
        }
    }

    [Theory]
    [InlineData("<<<<<<< HEAD\n", 0)]
    [InlineData("{\n<<<<<<< HEAD\n", 2)]
    [InlineData("{\r\n<<<<<<< HEAD", 3)]
    [InlineData("{\"a\":\"<<<<<<<\"}", -1)]
    [InlineData("", -1)]
    public void Merge_conflict_markers_are_found_at_the_start_of_a_line(string text, int index) =>
        Assert.Equal(index, Utf8Text.IndexOfMergeConflict(Encoding.UTF8.GetBytes(text)));

    // Rune by rune.
    private static int FirstInvalid(byte[] text)
    {
        int at = 0;
        while (Rune.DecodeFromUtf8(text.AsSpan(at), out _, out int consumed) == System.Buffers.OperationStatus.Done)
        {
            at += consumed;
        }

        return at;
    }
}
