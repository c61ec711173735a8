using System.Globalization;

namespace TypedWeights.Elf;

/// <summary>One entry of <c>.gnu.version_r</c>: a version that another library has to define, or this one is not loaded.</summary>
/// <param name="Library">The library that is to define it, such as <c>libstdc++.so.6</c>.</param>
/// <param name="Name">The version, such as <c>GLIBCXX_3.4.32</c>.</param>
/// <param name="Index">The number by which this library's symbols refer to the version.</param>
/// <param name="FlagsOffset">Where in the file the entry's flags are.</param>
/// <param name="Flags">Its flags.</param>
internal sealed record NeededVersion(string Library, string Name, ushort Index, ulong FlagsOffset, ushort Flags)
{
    /// <summary><c>VER_FLG_WEAK</c>: the loader takes the library even where the version is missing.</summary>
    public const ushort WeakFlag = 0x2;

    private const int EntrySize = 16;

    public bool IsWeak => (Flags & WeakFlag) != 0;

    /// <summary>Reads every entry, in file order; none where the library asks for no versions.</summary>
    public static IEnumerable<NeededVersion> ReadAll(ElfImage image)
    {
        if (!image.TryGet(DynamicTag.VersionNeeds, out ulong address))
        {
            yield break;
        }

        ulong libraries = image.Get(DynamicTag.VersionNeedsCount);
        for (ulong i = 0; i < libraries; i++)
        {
            ulong at = image.OffsetOf(address, EntrySize);
            int versions = image.U16(at + 2);
            string library = image.Name(image.U32(at + 4));
            ulong entry = address + image.U32(at + 8);
            for (int j = 0; j < versions; j++)
            {
                ulong place = image.OffsetOf(entry, EntrySize);
                yield return new NeededVersion(
                    library, image.Name(image.U32(place + 8)), image.U16(place + 6), place + 4, image.U16(place + 4));
                entry = Next(entry, image.U32(place + 12), isLast: j == versions - 1);
            }

            address = Next(address, image.U32(at + 12), isLast: i == libraries - 1);
        }
    }

    // A zero step before the last entry would read the same entry over and over.
    private static ulong Next(ulong address, uint step, bool isLast) => isLast || step >= EntrySize
        ? address + step
        : throw new ElfFormatException(string.Create(
            CultureInfo.InvariantCulture, $"the list of needed versions ends early, at address 0x{address:x}"));
}
