using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace TypedWeights.Elf;

/// <summary>
/// One little-endian ELF64 shared library in memory, read through its program headers, as the system's loader does: section headers may be
/// stripped. Every number in the file is checked against the length of the file before it is used.
/// </summary>
internal sealed class ElfImage
{
    private const int HeaderSize = 64;
    private const int ProgramHeaderSize = 56;
    private const int DynamicEntrySize = 16;
    private const uint LoadSegment = 1;
    private const uint DynamicSegment = 2;
    private const ushort SharedObject = 3;

    private readonly byte[] _bytes;
    private readonly List<(ulong Address, ulong Offset, ulong Size)> _segments = [];
    private readonly Dictionary<DynamicTag, ulong> _dynamic = [];

    /// <summary>Reads the headers and the dynamic table of <paramref name="bytes"/>, which the image keeps.</summary>
    /// <exception cref="ElfFormatException">They are not a whole ELF64 shared library.</exception>
    public ElfImage(byte[] bytes)
    {
        _bytes = bytes;
        if (!TryReadMachine(bytes, out _))
        {
            throw new ElfFormatException("it is not a 64-bit little-endian ELF shared library");
        }

        (ulong offset, ulong size) = ReadSegments();
        for (ulong at = 0; at + DynamicEntrySize <= size; at += DynamicEntrySize)
        {
            var tag = (DynamicTag)U64(offset + at);
            if (tag == DynamicTag.End)
            {
                return;
            }

            // The tags that are read here appear once.
            _dynamic.TryAdd(tag, U64(offset + at + 8));
        }

        throw new ElfFormatException("its dynamic table is not terminated");
    }

    /// <summary>Reads from <paramref name="start"/>, a file's first bytes, the machine that the library was built for.</summary>
    /// <returns>False when they do not begin a 64-bit little-endian ELF shared library.</returns>
    public static bool TryReadMachine(ReadOnlySpan<byte> start, out ElfMachine machine)
    {
        machine = default;
        if (start.Length < 20 || !start.StartsWith("\u007FELF"u8) || start[4] != 2 || start[5] != 1)
        {
            return false;
        }

        machine = (ElfMachine)BinaryPrimitives.ReadUInt16LittleEndian(start[18..]);
        return BinaryPrimitives.ReadUInt16LittleEndian(start[16..]) == SharedObject;
    }

    public bool TryGet(DynamicTag tag, out ulong value) => _dynamic.TryGetValue(tag, out value);

    public ulong Get(DynamicTag tag) =>
        TryGet(tag, out ulong value) ? value : throw new ElfFormatException($"the dynamic table has no {tag} entry");

    /// <summary>The offset in the file of <paramref name="size"/> bytes that the loader would find at <paramref name="address"/>.</summary>
    /// <exception cref="ElfFormatException">No loaded segment holds all of them.</exception>
    public ulong OffsetOf(ulong address, ulong size)
    {
        foreach ((ulong start, ulong offset, ulong length) in _segments)
        {
            if (address >= start && address - start <= length && size <= length - (address - start))
            {
                return offset + (address - start);
            }
        }

        throw new ElfFormatException(string.Create(
            CultureInfo.InvariantCulture, $"the {size} bytes at address 0x{address:x} are not in a loaded segment"));
    }

    public ushort U16(ulong offset) => BinaryPrimitives.ReadUInt16LittleEndian(At(offset, sizeof(ushort)));

    public uint U32(ulong offset) => BinaryPrimitives.ReadUInt32LittleEndian(At(offset, sizeof(uint)));

    public ulong U64(ulong offset) => BinaryPrimitives.ReadUInt64LittleEndian(At(offset, sizeof(ulong)));

    public ref byte U8(ulong offset) => ref At(offset, 1)[0];

    /// <summary>The text at <paramref name="index"/> of the dynamic string table.</summary>
    public string Name(uint index)
    {
        ulong size = Get(DynamicTag.StringTableSize);
        if (index >= size)
        {
            throw new ElfFormatException(string.Create(
                CultureInfo.InvariantCulture, $"a name starts at {index}, but the string table ends at {size}"));
        }

        Span<byte> rest = At(OffsetOf(Get(DynamicTag.StringTable), size) + index, size - index);
        int end = rest.IndexOf((byte)0);
        return end < 0
            ? throw new ElfFormatException("the last name in the string table is not terminated")
            : Encoding.Latin1.GetString(rest[..end]);
    }

    // Returns where the dynamic table is.
    private (ulong Offset, ulong Size) ReadSegments()
    {
        _ = At(0, HeaderSize);
        ulong table = U64(32);
        int entrySize = U16(54);
        int count = U16(56);
        if (entrySize != ProgramHeaderSize)
        {
            throw new ElfFormatException($"its program headers are {entrySize} bytes each instead of {ProgramHeaderSize}");
        }

        _ = At(table, (ulong)count * ProgramHeaderSize);
        (ulong Offset, ulong Size)? dynamic = null;
        for (int i = 0; i < count; i++)
        {
            ulong header = table + (ulong)i * ProgramHeaderSize;
            uint type = U32(header);
            (ulong offset, ulong size) = (U64(header + 8), U64(header + 32));
            if (type is LoadSegment or DynamicSegment)
            {
                _ = At(offset, size);
            }

            if (type == LoadSegment)
            {
                _segments.Add((U64(header + 16), offset, size));
            }
            else if (type == DynamicSegment)
            {
                dynamic = (offset, size);
            }
        }

        return dynamic ?? throw new ElfFormatException("it has no dynamic table");
    }

    private Span<byte> At(ulong offset, ulong size)
    {
        ulong length = (ulong)_bytes.Length;
        return offset <= length && size <= length - offset
            ? _bytes.AsSpan((int)offset, (int)size)
            : throw new ElfFormatException(string.Create(
                CultureInfo.InvariantCulture,
                $"it refers to {size} bytes at {offset}, but has only {length}: the file is truncated or damaged"));
    }
}

/// <summary>The machine that a library was built for (<c>e_machine</c>); .NET does not run on the others.</summary>
internal enum ElfMachine : ushort
{
    Arm = 40,
    X64 = 62,
    Arm64 = 183,
}

/// <summary>Entries of the dynamic table (<c>d_tag</c>): those that the patch reads.</summary>
internal enum DynamicTag : ulong
{
    End = 0,
    PltRelocationsSize = 2,
    StringTable = 5,
    SymbolTable = 6,
    Relocations = 7,
    RelocationsSize = 8,
    StringTableSize = 10,
    SymbolEntry = 11,
    PltRelocations = 23,
    GnuHash = 0x6ffffef5,
    SymbolVersions = 0x6ffffff0,
    VersionNeeds = 0x6ffffffe,
    VersionNeedsCount = 0x6fffffff,
}

/// <summary>Bytes that are not a valid ELF library. Always caught and turned into an error that names the file.</summary>
internal sealed class ElfFormatException(string message) : Exception(message);
