namespace TypedWeights.Elf;

/// <summary>The dynamic symbols of a library, as far as the patch needs them: names, bindings, versions, and who refers to them.</summary>
internal sealed class ElfSymbols
{
    private const int SymbolSize = 24;
    private const ulong RelocationWithAddendSize = 24;
    private const ulong RelocationSize = 16;
    private const byte Weak = 2;

    // The top bit of a symbol's version marks it hidden.
    private const ushort VersionMask = 0x7fff;

    private readonly ElfImage _image;
    private readonly ulong _symbols;
    private readonly ulong _versions;

    public ElfSymbols(ElfImage image)
    {
        _image = image;
        if (image.Get(DynamicTag.SymbolEntry) != SymbolSize)
        {
            throw new ElfFormatException("its symbols have an unknown size");
        }

        Count = SymbolCount.Read(image);
        _symbols = image.OffsetOf(image.Get(DynamicTag.SymbolTable), (ulong)Count * SymbolSize);
        _versions = image.OffsetOf(image.Get(DynamicTag.SymbolVersions), (ulong)Count * sizeof(ushort));
    }

    public uint Count { get; }

    public string Name(uint symbol) => _image.Name(_image.U32(Place(symbol)));

    public bool IsUndefined(uint symbol) => _image.U16(Place(symbol) + 6) == 0;

    public ushort Version(uint symbol) => (ushort)(_image.U16(_versions + symbol * sizeof(ushort)) & VersionMask);

    /// <summary>Where in the file the byte with a symbol's binding (high four bits) and type (low four) is.</summary>
    public ulong InfoOffset(uint symbol) => Place(symbol) + 4;

    /// <summary>Makes the loader go on with address zero where nobody defines the symbol.</summary>
    public void BindWeak(uint symbol) =>
        _image.SetU8(InfoOffset(symbol), (byte)(Weak << 4 | (_image.U8(InfoOffset(symbol)) & 0xf)));

    /// <summary>Whether any relocation, of data or of calls, would have the loader look the symbol up.</summary>
    public bool IsReferredTo(uint symbol)
    {
        ulong plt = _image.TryGet(DynamicTag.PltRelocationKind, out ulong kind) && kind == (ulong)DynamicTag.Relocations
            ? RelocationSize
            : RelocationWithAddendSize;
        return AnyRelocation(symbol, DynamicTag.RelocationsWithAddend, DynamicTag.RelocationsWithAddendSize, RelocationWithAddendSize)
            || AnyRelocation(symbol, DynamicTag.Relocations, DynamicTag.RelocationsSize, RelocationSize)
            || AnyRelocation(symbol, DynamicTag.PltRelocations, DynamicTag.PltRelocationsSize, plt);
    }

    private bool AnyRelocation(uint symbol, DynamicTag table, DynamicTag tableSize, ulong entrySize)
    {
        if (!_image.TryGet(table, out ulong address))
        {
            return false;
        }

        ulong size = _image.Get(tableSize);
        ulong start = _image.OffsetOf(address, size);
        for (ulong at = 0; at + entrySize <= size; at += entrySize)
        {
            if (_image.U64(start + at + 8) >> 32 == symbol)
            {
                return true;
            }
        }

        return false;
    }

    private ulong Place(uint symbol) => symbol < Count
        ? _symbols + (ulong)symbol * SymbolSize
        : throw new ElfFormatException($"it refers to symbol {symbol} of {Count}");
}
