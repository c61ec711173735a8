using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace TypedWeights.Elf;

/// <summary>
/// One little-endian ELF64 shared library in memory, read through its program headers: the system's loader goes by them too, whereas
/// section headers may be stripped. Every number in the file is checked against the bytes that are there before it is used.
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

    /// <summary>Reads the headers and the dynamic table of <paramref name="bytes"/>, which stay the image's own.</summary>
    /// <exception cref="ElfFormatException">They are not a whole ELF64 shared library.</exception>
    public ElfImage(byte[] bytes)
    {
        _bytes = bytes;
        CheckIdentity(bytes);
        Machine = (ElfMachine)U16(18);
        ReadDynamic(ReadSegments());
    }

    public ElfMachine Machine { get; }

    /// <summary>Says for which machine the library in <paramref name="start"/>, a file's first bytes, was built.</summary>
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

    /// <summary>The place in the file of <paramref name="size"/> bytes that the loader would find at <paramref name="address"/>.</summary>
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
            CultureInfo.InvariantCulture, $"the {size} bytes at address 0x{address:x} lie in no loaded segment"));
    }

    public byte U8(ulong offset) => At(offset, 1)[0];

    public ushort U16(ulong offset) => BinaryPrimitives.ReadUInt16LittleEndian(At(offset, sizeof(ushort)));

    public uint U32(ulong offset) => BinaryPrimitives.ReadUInt32LittleEndian(At(offset, sizeof(uint)));

    public ulong U64(ulong offset) => BinaryPrimitives.ReadUInt64LittleEndian(At(offset, sizeof(ulong)));

    public void SetU8(ulong offset, byte value) => At(offset, 1)[0] = value;

    public void SetU16(ulong offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(At(offset, sizeof(ushort)), value);

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
            ? throw new ElfFormatException("the last name in the string table has no end")
            : Encoding.Latin1.GetString(rest[..end]);
    }

    private static void CheckIdentity(byte[] bytes)
    {
        if (!TryReadMachine(bytes, out _))
        {
            throw new ElfFormatException("it is no 64-bit little-endian ELF shared library");
        }
    }

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
            ulong offset = U64(header + 8);
            ulong size = U64(header + 32);
            if (type == LoadSegment)
            {
                _ = At(offset, size);
                _segments.Add((U64(header + 16), offset, size));
            }
            else if (type == DynamicSegment)
            {
                _ = At(offset, size);
                dynamic = (offset, size);
            }
        }

        return dynamic ?? throw new ElfFormatException("it has no dynamic table");
    }

    private void ReadDynamic((ulong Offset, ulong Size) table)
    {
        for (ulong at = 0; at + DynamicEntrySize <= table.Size; at += DynamicEntrySize)
        {
            var tag = (DynamicTag)U64(table.Offset + at);
            if (tag == DynamicTag.End)
            {
                return;
            }

            // Of the tags that are asked for here none may appear twice.
            _dynamic.TryAdd(tag, U64(table.Offset + at + 8));
        }

        throw new ElfFormatException("its dynamic table has no end");
    }

    private Span<byte> At(ulong offset, ulong size)
    {
        ulong length = (ulong)_bytes.Length;
        return offset <= length && size <= length - offset
            ? _bytes.AsSpan((int)offset, (int)size)
            : throw new ElfFormatException(string.Create(
                CultureInfo.InvariantCulture,
                $"it points to {size} bytes at {offset}, but has {length}: the file is cut short or damaged"));
    }
}
