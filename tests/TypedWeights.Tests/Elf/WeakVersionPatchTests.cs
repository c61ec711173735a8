using System.Buffers.Binary;
using TypedWeights.Elf;
using TypedWeights.Tests.Native.Support;

namespace TypedWeights.Tests.Elf;

public sealed class WeakVersionPatchTests
{
    private static readonly byte[] Original = File.ReadAllBytes(TorchFiles.TorchSharp);

    [Fact]
    public void The_original_library_requires_the_version_and_the_patched_copy_does_not()
    {
        Assert.True(WeakVersionPatch.IsRequired(new ElfImage(Original)));
        Assert.False(WeakVersionPatch.IsRequired(new ElfImage(WeakVersionPatch.Apply(Original))));
    }

    [Fact]
    public void The_patch_changes_only_the_flag_of_the_version_and_the_binding_of_the_symbol()
    {
        byte[] patched = WeakVersionPatch.Apply(Original);
        int[] places = ElfBytes.Differences(Original, patched);

        Assert.Equal(2, places.Length);
        (int binding, int flag) = (places[0], places[1]);

        // Elf64_Vernaux: hash, flags, index, name. Elf64_Sym: name, then binding (high) and type (low). Both names count from .dynstr.
        Assert.Equal(ElfBytes.Hash(WeakVersionPatch.Version), ElfBytes.U32(patched, flag - 4));
        Assert.Equal((0x00, 0x02), (Original[flag], patched[flag]));
        Assert.Equal((0x12, 0x22), (Original[binding], patched[binding]));
        long names = ElfBytes.IndexOf(Original, WeakVersionPatch.Version) - ElfBytes.U32(Original, flag + 4);
        Assert.Equal(names, ElfBytes.IndexOf(Original, WeakVersionPatch.Symbol) - ElfBytes.U32(Original, binding - 4));
    }

    [Fact]
    public void The_patch_keeps_every_other_required_version()
    {
        NeededVersion[] before = [.. WeakVersionPatch.VersionsOf(new ElfImage(Original))];
        NeededVersion[] after = [.. WeakVersionPatch.VersionsOf(new ElfImage(WeakVersionPatch.Apply(Original)))];

        Assert.Contains(before, v => v is { Library: "libstdc++.so.6", Name: "GLIBCXX_3.4.30" });
        Assert.Equal([WeakVersionPatch.Version], after.Except(before).Select(v => v.Name));
        Assert.Equal(before.Length, after.Length);
    }

    [Fact]
    public void Patching_a_patched_library_changes_nothing()
    {
        byte[] patched = WeakVersionPatch.Apply(Original);
        Assert.Equal(patched, WeakVersionPatch.Apply(patched));
    }

    [Fact]
    public void A_library_that_does_not_require_the_version_is_not_patched()
    {
        byte[] other = File.ReadAllBytes(TorchFiles.Torch);
        Assert.False(WeakVersionPatch.IsRequired(new ElfImage(other)));
        var e = Assert.Throws<ElfFormatException>(() => WeakVersionPatch.Apply(other));
        Assert.Contains("does not require GLIBCXX_3.4.32", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_symbol_of_the_patched_version_is_refused_by_its_name()
    {
        byte[] bytes = [.. Original];
        uint symbol = SymbolOf(new ElfImage(bytes), "malloc");
        NeededVersion version = WeakVersionPatch.VersionsOf(new ElfImage(bytes)).Single(v => v.Name == WeakVersionPatch.Version);
        int versions = (int)new ElfImage(bytes).OffsetOf(new ElfImage(bytes).Get(DynamicTag.SymbolVersions), 2);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(versions + (int)symbol * 2), version.Index);

        var e = Assert.Throws<ElfFormatException>(() => WeakVersionPatch.Apply(bytes));

        Assert.Contains("needs malloc of GLIBCXX_3.4.32", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data")]
    [InlineData("calls")]
    public void A_relocation_that_refers_to_the_symbol_is_refused(string kind)
    {
        byte[] bytes = [.. Original];
        var image = new ElfImage(bytes);
        uint symbol = SymbolOf(image, WeakVersionPatch.Symbol);

        // The last entry of the table: its symbol is the upper half of the second word.
        (DynamicTag table, DynamicTag size) = kind == "data"
            ? (DynamicTag.Relocations, DynamicTag.RelocationsSize)
            : (DynamicTag.PltRelocations, DynamicTag.PltRelocationsSize);
        int entry = (int)image.OffsetOf(image.Get(table), image.Get(size)) + (int)image.Get(size) - 24;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(entry + 12), symbol);

        var e = Assert.Throws<ElfFormatException>(() => WeakVersionPatch.Apply(bytes));
        Assert.Contains($"uses {WeakVersionPatch.Symbol}", e.Message, StringComparison.Ordinal);
    }

    private static uint SymbolOf(ElfImage image, string name)
    {
        (ulong offset, uint count) = WeakVersionPatch.SymbolsOf(image);
        return Enumerable.Range(1, (int)count - 1).Select(i => (uint)i).First(i => image.Name(image.U32(offset + (24 * i))) == name);
    }
}
