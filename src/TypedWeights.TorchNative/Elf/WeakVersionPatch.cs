namespace TypedWeights.Elf;

/// <summary>
/// Lets a library load where libstdc++ is older than the one it was linked with. Programs that include &lt;iostream&gt; and are built with
/// GCC 13 or later refer to <see cref="Symbol"/>, only so that the loader checks the version of libstdc++: older ones set up their streams
/// by themselves. The copy asks for that version and that symbol weakly, which the loader answers by going on without them.
/// </summary>
internal static class WeakVersionPatch
{
    public const string Version = "GLIBCXX_3.4.32";

    public const string Symbol = "_ZSt21ios_base_library_initv";

    /// <summary>Whether the loader would refuse the library where libstdc++ lacks <see cref="Version"/>.</summary>
    /// <exception cref="ElfFormatException">The image's tables are damaged.</exception>
    public static bool IsAskedFor(ElfImage image) => Find(image) is { IsWeak: false };

    /// <summary>The library with the version's entry flagged weak and the symbol bound weak; no other bit differs.</summary>
    /// <exception cref="ElfFormatException">The library is damaged, does not ask for the version, or really needs it.</exception>
    public static byte[] Apply(ReadOnlySpan<byte> original)
    {
        byte[] copy = original.ToArray();
        var image = new ElfImage(copy);
        NeededVersion version = Find(image) ?? throw new ElfFormatException($"it does not ask for {Version}");
        var symbols = new ElfSymbols(image);
        for (uint symbol = 0; symbol < symbols.Count; symbol++)
        {
            if (symbols.Version(symbol) == version.Index)
            {
                CheckUnused(symbols, symbol);
                symbols.BindWeak(symbol);
            }
        }

        image.SetU16(version.FlagsOffset, (ushort)(version.Flags | NeededVersion.WeakFlag));
        return copy;
    }

    private static NeededVersion? Find(ElfImage image) => NeededVersion.ReadAll(image).FirstOrDefault(v => v.Name == Version);

    // Going on without a symbol is only safe while nothing in the library can reach it.
    private static void CheckUnused(ElfSymbols symbols, uint symbol)
    {
        string name = symbols.Name(symbol);
        if (name != Symbol || !symbols.IsUndefined(symbol))
        {
            throw new ElfFormatException($"it needs {name} of {Version}, which an older libstdc++ does not have");
        }

        if (symbols.IsReferredTo(symbol))
        {
            throw new ElfFormatException($"it uses {name}, which an older libstdc++ does not have");
        }
    }
}
