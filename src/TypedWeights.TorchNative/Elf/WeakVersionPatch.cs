using System.Globalization;

namespace TypedWeights.Elf;

/// <summary>
/// Lets a library load where libstdc++ is older than the one it was linked with. Programs that include &lt;iostream&gt; and are built with
/// GCC 13 or later refer to <see cref="Symbol"/>, only so that the loader checks the version of libstdc++: older libraries
/// initialise their streams in other code. The copy refers to that version and that symbol weakly, so that the loader continues without them.
/// </summary>
internal static class WeakVersionPatch
{
    public const string Version = "GLIBCXX_3.4.32";

    public const string Symbol = "_ZSt21ios_base_library_initv";

    // The layout of tables on x64, the only system that needs the patch.
    private const uint SymbolSize = 24;
    private const uint RelocationSize = 24;
    private const byte WeakBinding = 2;

    // The top bit of a symbol's version marks it hidden.
    private const ushort VersionMask = 0x7fff;

    /// <summary>Whether the loader would reject the library if libstdc++ lacks <see cref="Version"/>.</summary>
    /// <exception cref="ElfFormatException">The image's tables are damaged.</exception>
    public static bool IsRequired(ElfImage image) => Find(image) is { IsWeak: false };

    /// <summary>The library with the version's entry flagged weak and the symbol bound weak; no other bit differs.</summary>
    /// <exception cref="ElfFormatException">The library is damaged, does not require the version, or really needs it.</exception>
    public static byte[] Apply(ReadOnlySpan<byte> original)
    {
        byte[] copy = original.ToArray();
        var image = new ElfImage(copy);
        NeededVersion version = Find(image) ?? throw new ElfFormatException($"it does not require {Version}");
        (ulong symbols, uint count) = SymbolsOf(image);
        ulong versions = image.OffsetOf(image.Get(DynamicTag.SymbolVersions), (ulong)count * sizeof(ushort));
        for (uint symbol = 0; symbol < count; symbol++)
        {
            if ((image.U16(versions + symbol * sizeof(ushort)) & VersionMask) == version.Index)
            {
                // Elf64_Sym: name, then binding (high four bits) and type (low), visibility, and the section, which is 0 for an undefined symbol.
                ulong entry = symbols + (ulong)symbol * SymbolSize;
                CheckUnused(image, symbol, image.Name(image.U32(entry)), isUndefined: image.U16(entry + 6) == 0);
                ref byte binding = ref image.U8(entry + 4);
                binding = (byte)(WeakBinding << 4 | (binding & 0xf));
            }
        }

        image.U8(version.FlagsOffset) |= NeededVersion.WeakFlag;
        return copy;
    }

    /// <summary>Every entry of <c>.gnu.version_r</c>, in file order.</summary>
    internal static IEnumerable<NeededVersion> VersionsOf(ElfImage image)
    {
        if (!image.TryGet(DynamicTag.VersionNeeds, out ulong address))
        {
            yield break;
        }

        ulong libraries = image.Get(DynamicTag.VersionNeedsCount);
        for (ulong i = 0; i < libraries; i++)
        {
            ulong at = image.OffsetOf(address, NeededVersion.Size);
            int versions = image.U16(at + 2);
            string library = image.Name(image.U32(at + 4));
            ulong entry = address + image.U32(at + 8);
            for (int j = 0; j < versions; j++)
            {
                ulong offset = image.OffsetOf(entry, NeededVersion.Size);
                yield return new NeededVersion(
                    library, image.Name(image.U32(offset + 8)), image.U16(offset + 6), offset + 4, image.U16(offset + 4));
                entry = Next(entry, image.U32(offset + 12), isLast: j == versions - 1);
            }

            address = Next(address, image.U32(at + 12), isLast: i == libraries - 1);
        }

        // A step of zero before the last entry would read the same entry over and over.
        static ulong Next(ulong address, uint step, bool isLast) => isLast || step >= NeededVersion.Size
            ? address + step
            : throw new ElfFormatException(string.Create(
                CultureInfo.InvariantCulture, $"the list of needed versions ends early, at address 0x{address:x}"));
    }

    /// <summary>The offset of the dynamic symbols, and their number, which only the hash table implies.</summary>
    internal static (ulong Offset, uint Count) SymbolsOf(ElfImage image)
    {
        if (image.Get(DynamicTag.SymbolEntry) != SymbolSize)
        {
            throw new ElfFormatException("its symbols have an unknown size");
        }

        // Four words, a filter, the buckets, and then the chains: one word for each hashed symbol. The lowest bit ends a chain, and the chain of
        // the highest bucket ends last.
        const int HashHeaderSize = 16;
        ulong address = image.Get(DynamicTag.GnuHash);
        ulong header = image.OffsetOf(address, HashHeaderSize);
        uint buckets = image.U32(header);
        uint firstHashed = image.U32(header + 4);
        ulong bucketsAddress = address + HashHeaderSize + (ulong)image.U32(header + 8) * sizeof(ulong);
        ulong bucketsOffset = image.OffsetOf(bucketsAddress, (ulong)buckets * sizeof(uint));
        uint last = 0;
        for (uint i = 0; i < buckets; i++)
        {
            last = Math.Max(last, image.U32(bucketsOffset + (ulong)i * sizeof(uint)));
        }

        uint count = firstHashed;
        if (last >= firstHashed)
        {
            ulong chain = bucketsAddress + (ulong)buckets * sizeof(uint) + (ulong)(last - firstHashed) * sizeof(uint);
            for (count = last + 1; (image.U32(image.OffsetOf(chain, sizeof(uint))) & 1) == 0; count++)
            {
                chain += sizeof(uint);
            }
        }

        return (image.OffsetOf(image.Get(DynamicTag.SymbolTable), (ulong)count * SymbolSize), count);
    }

    private static NeededVersion? Find(ElfImage image) => VersionsOf(image).FirstOrDefault(static version => version.Name == Version);

    // Continuing without a symbol is only safe if nothing in the library can reach it.
    private static void CheckUnused(ElfImage image, uint symbol, string name, bool isUndefined)
    {
        if (name != Symbol || !isUndefined)
        {
            throw new ElfFormatException($"it needs {name} of {Version}, which an older libstdc++ does not have");
        }

        if (IsReferredTo(image, symbol, DynamicTag.Relocations, DynamicTag.RelocationsSize)
            || IsReferredTo(image, symbol, DynamicTag.PltRelocations, DynamicTag.PltRelocationsSize))
        {
            throw new ElfFormatException($"it uses {name}, which an older libstdc++ does not have");
        }
    }

    // Whether a relocation, of data or of calls, would make the loader look the symbol up.
    private static bool IsReferredTo(ElfImage image, uint symbol, DynamicTag table, DynamicTag tableSize)
    {
        if (!image.TryGet(table, out ulong address))
        {
            return false;
        }

        ulong size = image.Get(tableSize);
        ulong start = image.OffsetOf(address, size);
        for (ulong at = 0; at + RelocationSize <= size; at += RelocationSize)
        {
            if (image.U64(start + at + 8) >> 32 == symbol)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>One entry of <c>.gnu.version_r</c>: a version that another library has to define, or this one is not loaded.</summary>
/// <param name="Library">The library that is to define it, such as <c>libstdc++.so.6</c>.</param>
/// <param name="Name">The version, such as <c>GLIBCXX_3.4.32</c>.</param>
/// <param name="Index">The number by which this library's symbols refer to the version.</param>
/// <param name="FlagsOffset">The offset of the entry's flags in the file.</param>
/// <param name="Flags">Its flags.</param>
internal sealed record NeededVersion(string Library, string Name, ushort Index, ulong FlagsOffset, ushort Flags)
{
    /// <summary>The bytes of an entry.</summary>
    public const int Size = 16;

    /// <summary><c>VER_FLG_WEAK</c>: the loader takes the library even where the version is missing.</summary>
    public const byte WeakFlag = 0x2;

    public bool IsWeak => (Flags & WeakFlag) != 0;
}
