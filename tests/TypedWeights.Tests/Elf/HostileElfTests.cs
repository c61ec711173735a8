using System.Buffers.Binary;
using System.Text;
using TypedWeights.Elf;
using TypedWeights.Tests.Native.Support;

namespace TypedWeights.Tests.Elf;

public sealed class HostileElfTests
{
    private static readonly byte[] Original = File.ReadAllBytes(TorchFiles.TorchSharp);

    [Theory]
    [InlineData("")]
    [InlineData("\u007FELF")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")]
    public void A_file_that_is_not_an_ELF_library_is_an_error_that_says_so(string text)
    {
        var e = Assert.Throws<ElfFormatException>(() => new ElfImage(Encoding.ASCII.GetBytes(text)));
        Assert.Contains("not a 64-bit little-endian ELF shared library", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(5, 2)]
    [InlineData(16, 2)]
    public void ELF_files_that_are_32_bit_big_endian_or_programs_are_refused(int offset, byte value)
    {
        byte[] bytes = [.. Original];
        bytes[offset] = value;
        Assert.Throws<ElfFormatException>(() => new ElfImage(bytes));
    }

    [Fact]
    public void A_library_truncated_in_its_loaded_part_is_an_error_that_says_truncated()
    {
        int end = EndOfLoadedPart();
        foreach (int length in Enumerable.Range(20, 700).Concat([4096, end / 3, end / 2, end - 1]))
        {
            var e = Assert.Throws<ElfFormatException>(() => WeakVersionPatch.Apply(Original.AsSpan(0, length)));
            Assert.Contains("truncated", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_library_without_section_headers_gets_the_same_patch()
    {
        int end = EndOfLoadedPart();
        Assert.True(end < Original.Length);
        Assert.Equal(WeakVersionPatch.Apply(Original)[..end], WeakVersionPatch.Apply(Original.AsSpan(0, end)));
    }

    [Fact]
    public void A_corrupt_number_in_an_ELF_table_at_most_causes_an_ElfFormatException()
    {
        var image = new ElfImage([.. Original]);
        int dynamic = (int)DynamicOffset();
        (int Start, int Size)[] tables =
        [
            (0, 64 + 10 * 56),
            (dynamic, 35 * 16),
            ((int)image.OffsetOf(image.Get(DynamicTag.GnuHash), 16), 16),
            ((int)image.OffsetOf(image.Get(DynamicTag.VersionNeeds), 16), 96),
        ];
        byte[] bytes = [.. Original];
        int refused = 0;
        foreach (int place in tables.SelectMany(t => Enumerable.Range(0, t.Size / 4).Select(i => t.Start + 4 * i)))
        {
            foreach (uint value in (ReadOnlySpan<uint>)[0, 1, 0x7fffffff, 0xfffffff0, 0xffffffff])
            {
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(place), value);
                refused += IsRefused(bytes) ? 1 : 0;
            }

            Original.AsSpan(place, 4).CopyTo(bytes.AsSpan(place));
        }

        Assert.True(refused > 100, $"{refused} changes were refused");
        Assert.False(IsRefused(bytes));
    }

    // Any other exception fails the test.
    private static bool IsRefused(byte[] bytes)
    {
        try
        {
            _ = WeakVersionPatch.Apply(bytes);
            return false;
        }
        catch (ElfFormatException)
        {
            return true;
        }
    }

    private static int EndOfLoadedPart() =>
        ProgramHeaders().Where(h => h.Type == 1).Max(h => (int)(h.Offset + h.Size));

    private static ulong DynamicOffset() => ProgramHeaders().Single(h => h.Type == 2).Offset;

    private static IEnumerable<(uint Type, ulong Offset, ulong Size)> ProgramHeaders() => Enumerable
        .Range(0, Original[56])
        .Select(i => Original.AsMemory(64 + 56 * i, 56))
        .Select(h => (ElfBytes.U32(h.ToArray(), 0), Word(h, 8), Word(h, 32)));

    private static ulong Word(ReadOnlyMemory<byte> header, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(header.Span[offset..]);
}
