using System.Text;
using TypedWeights.Snapshots;

namespace TypedWeights.Tests.Snapshots;

public sealed class SnapshotReaderTests
{
    private const string Sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private const string Text = $$$"""
        {
          "schema": "typedweights.snapshot/1",
          "class": "Tiny",
          "source": "https://example.com/tiny.safetensors",
          "revision": "abc",
          "files": [
            {"name": "tiny.safetensors", "length": 137, "validator": "\"etag\"", "headerLength": 120, "headerSha256": "{{{Sha256}}}",
             "metadata": {"format": "pt"}}
          ],
          "tensors": [
            {"name": "a", "dtype": "F32", "shape": [2], "file": 0, "begin": 0, "end": 8},
            {"name": "b", "dtype": "BOOL", "shape": [], "file": 0, "begin": 8, "end": 9, "sha256": "{{{Sha256}}}"}
          ]
        }

        """;

    public static TheoryData<string, string, Func<int, string>> Stuffed => new()
    {
        // What is replaced, by what, and what comes in its place many times.
        { "\"revision\"", "MANY \"revision\"", static i => $"\"{i:x}\":0," },
        { "\"length\"", "MANY \"length\"", static i => $"\"{i:x}\":0," },
        { "\"end\": 8}", "MANY \"end\": 8}", static i => $"\"{i:x}\":0," },
        { "\"format\": \"pt\"", "MANY \"format\": \"pt\"", static i => $"\"{i:x}\":\"\"," },
        { "\"shape\": [2]", "\"shape\": [MANY 2]", static _ => "1," },
    };

    [Theory]
    [MemberData(nameof(Stuffed), DisableDiscoveryEnumeration = true)]
    public void Reading_any_snapshot_takes_at_most_ten_times_its_length_of_memory(string what, string by, Func<int, string> item)
    {
        string text = Text.Replace(what, by.Replace("MANY", string.Concat(Enumerable.Range(0, 300_000).Select(item))));
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        long before = GC.GetAllocatedBytesForCurrentThread();

        WeightSnapshot snapshot = SnapshotReader.Read(bytes);

        // The text itself is the tenth.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 9L * bytes.Length);
        Assert.Equal(["a", "b"], snapshot.Tensors.Select(static tensor => tensor.Name));
    }

    public static TheoryData<string, string, string> Wrong => new()
    {
        // What is replaced, by what, and what the error must say.
        { "typedweights.snapshot/1", "typedweights.snapshot/2", "update TypedWeights" },
        { "\"schema\": \"typedweights.snapshot/1\",", "", "no \"schema\"" },
        { "\"class\": \"Tiny\"", "\"class\": null", "expected a string" },
        { "\"revision\": \"abc\"", "\"class\": \"x\"", "the snapshot lists \"class\" twice" },
        { "\"length\": 137", "\"length\": 136", "136 bytes" },
        { "\"length\": 137", "\"length\": 9223372036854775808", "2^63" },
        { "\"length\": 137, ", "", "no \"length\"" },
        { "\"headerSha256\": \"0", "\"headerSha256\": \"Z", "64 lower-case" },
        { "\"dtype\": \"F32\"", "\"dtype\": \"f32\"", "\"f32\" is not" },
        { "\"shape\": [2]", "\"shape\": [3]", "F32 [3]" },
        { "\"name\": \"b\"", "\"name\": \"a\"", "twice" },
        { "\"end\": 8}", "\"end\": 8, \"end\": 8}", "a tensor lists \"end\" twice" },
        { "\"file\": 0, \"begin\": 8", "\"file\": 1, \"begin\": 8", "file 1 of 1" },
        { "\"file\": 0, \"begin\": 8", "\"file\": 99999999999, \"begin\": 8", "of 1" },
        { "\"begin\": 8, \"end\": 9", "\"begin\": 9, \"end\": 10", "starts at 9" },
        { "\"begin\": 8, \"end\": 9", "\"begin\": 7, \"end\": 8", "starts at 7" },
        { "\"begin\": 8, \"end\": 9", "\"begin\": 9, \"end\": 8", "BOOL []" },
        { "  \"tensors\"", "<<<<<<< HEAD\n  \"tensors\"", "merge conflict" },
        { "\"pt\"}", "\"pt\",}", "comma" },
        { "\"pt\"}", "\"pt\", \"format\": \"x\"}", "twice" },
    };

    [Fact]
    public void Every_field_of_a_snapshot_is_read()
    {
        WeightSnapshot snapshot = Read(Text);
        Assert.Equal(("Tiny", "https://example.com/tiny.safetensors", "abc"), (snapshot.Class, snapshot.Source, snapshot.Revision));
        SnapshotFile file = Assert.Single(snapshot.Files);
        Assert.Equal(("tiny.safetensors", 137L, "\"etag\"", 120L), (file.Name, file.Length, file.Validator, file.HeaderLength));
        Assert.Equal([KeyValuePair.Create("format", "pt")], file.Metadata);
        Assert.Equal(
            [("a", DType.F32, new TensorShape(2), 0, 0L, 8L), ("b", DType.Bool, default(TensorShape), 0, 8L, 9L)],
            snapshot.Tensors.Select(static t => (t.Name, t.DType, t.Shape, t.File, t.Begin, t.End)));
        Assert.Null(snapshot.Tensors[0].Sha256);
        Assert.Equal(64, snapshot.Tensors[1].Sha256!.Length);
    }

    [Fact]
    public void A_byte_order_mark_and_CRLF_and_unknown_members_do_not_change_a_snapshot()
    {
        string lf = Text.ReplaceLineEndings("\n");
        AssertSame(Read(lf), Read("\uFEFF" + lf.ReplaceLineEndings("\r\n")));
        AssertSame(Read(lf), Read(lf.Replace("\"class\"", "\"later\": {\"x\": [1, {}]}, \"class\"", StringComparison.Ordinal)));
        AssertSame(Read(lf), Read(lf.Replace("{\"name\": \"a\"", "{\"later\": null, \"name\": \"a\"", StringComparison.Ordinal)));
        Assert.Null(Read(lf.Replace("\"abc\"", "null", StringComparison.Ordinal)).Revision);
        Assert.Null(Read(lf.Replace("\"\\\"etag\\\"\"", "null", StringComparison.Ordinal)).Files[0].Validator);
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_snapshot_that_contradicts_itself_is_refused(string part, string by, string says)
    {
        Assert.Contains(part, Text, StringComparison.Ordinal);
        var error = Assert.Throws<SnapshotFormatException>(() => Read(Text.Replace(part, by, StringComparison.Ordinal)));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Position, 0, Text.Length + 100);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused_with_their_position()
    {
        byte[] bytes = [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Text)];
        bytes[40] = 0xC0;
        Assert.Equal(40, Assert.Throws<SnapshotFormatException>(() => SnapshotReader.Read(bytes)).Position);
    }

    [Theory]
    [InlineData("\"name\": \"b\", \"dtype\": \"BOOL\"", "\"name\": \"x\\n\\u001b[2J\\u202eb\", \"dtype\": \"F32\"")]
    [InlineData("\"dtype\": \"F32\"", "\"dtype\": \"F\\n\\u001b[2J32\"")]
    [InlineData("snapshot/1", "snapshot/\\n\\u001b[2J2")]
    [InlineData("\"pt\"}", "\"pt\", \"\\n\": \"\", \"\\n\": \"\"}")]
    public void Text_of_the_snapshot_that_an_error_repeats_is_escaped(string part, string by)
    {
        Assert.Contains(part, Text, StringComparison.Ordinal);
        string message = Assert.Throws<SnapshotFormatException>(() => Read(Text.Replace(part, by, StringComparison.Ordinal))).Message;
        Assert.Contains("\\u{A}", message, StringComparison.Ordinal);
        Assert.DoesNotContain(message, static c => c is '\n' or '\u001b' or '\u202e');
    }

    [Fact]
    public void Files_whose_total_length_does_not_fit_in_64_bits_are_refused()
    {
        const long Exabyte = 1L << 60;
        IEnumerable<int> numbers = Enumerable.Range(0, 8);
        string files = string.Join(",", numbers.Select(i =>
            $$"""{"name": "f{{i}}", "length": {{Exabyte + 108}}, "headerLength": 100, "headerSha256": "{{Sha256}}"}"""));
        string tensors = string.Join(",", numbers.Select(i =>
            $$"""{"name": "t{{i}}", "dtype": "U8", "shape": [{{Exabyte}}], "file": {{i}}, "begin": 0, "end": {{Exabyte}}}"""));
        string text = $$"""
            {"schema": "typedweights.snapshot/1", "class": "Big", "source": "big", "files": [{{files}}], "tensors": [{{tensors}}]}
            """;
        Assert.Contains("2^63", Assert.Throws<SnapshotFormatException>(() => Read(text)).Message, StringComparison.Ordinal);
    }

    private static WeightSnapshot Read(string text) => SnapshotReader.Read(Encoding.UTF8.GetBytes(text));

    private static void AssertSame(WeightSnapshot expected, WeightSnapshot found)
    {
        Assert.Equal((expected.Class, expected.Source, expected.Revision), (found.Class, found.Source, found.Revision));
        Assert.Equal(expected.Tensors, found.Tensors);
        Assert.Equal(expected.Files.Select(static f => f with { Metadata = [] }), found.Files.Select(static f => f with { Metadata = [] }));
        Assert.Equal(expected.Files.SelectMany(static f => f.Metadata), found.Files.SelectMany(static f => f.Metadata));
    }
}
