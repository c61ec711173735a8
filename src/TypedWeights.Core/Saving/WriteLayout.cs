using System.Buffers;
using System.Buffers.Binary;
using TypedWeights.Errors;
using TypedWeights.Format;

namespace TypedWeights.Saving;

/// <summary>
/// The canonical order and header of a file: widest dtype first (by the format's own order of dtypes, backwards), then names by their
/// bytes; metadata before tensors, its keys by their bytes; padded with spaces so that the data begins at a multiple of eight.
/// </summary>
internal sealed class WriteLayout
{
    private WriteLayout(SafeTensorsEntry[] entries, ReadOnlyMemory<byte> start, long length)
    {
        Entries = entries;
        Start = start;
        Length = length;
    }

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<SafeTensorsEntry> Entries { get; }

    /// <summary>The header's length and the header: everything before the data.</summary>
    public ReadOnlyMemory<byte> Start { get; }

    /// <summary>The length of the file.</summary>
    public long Length { get; }

    /// <exception cref="ArgumentException">Two tensors share a name, or the file would be larger than the format allows.</exception>
    public static WriteLayout Create(IEnumerable<SafeTensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata)
    {
        ArgumentNullException.ThrowIfNull(entries);
        RefuseNulls(metadata);
        SafeTensorsEntry[] ordered = [.. entries];
        if (Array.IndexOf(ordered, null) >= 0)
        {
            throw new ArgumentException("One of the tensors is null.", nameof(entries));
        }

        Array.Sort(ordered, Compare);
        var json = new ArrayBufferWriter<byte>(1024);
        json.Write(stackalloc byte[HeaderPrefix.Size]);
        json.Write("{"u8);
        WriteMetadata(json, metadata, last: ordered.Length == 0);
        long end = 0;
        for (int i = 0; i < ordered.Length; i++)
        {
            SafeTensorsEntry entry = ordered[i];
            if (entry.ByteLength > long.MaxValue - HeaderPrefix.Size - HeaderPrefix.Limit - end)
            {
                throw new ArgumentException("The tensors together are larger than a file can be.", nameof(entries));
            }

            WriteEntry(json, entry, end, last: i == ordered.Length - 1);
            end += entry.ByteLength;
            ThrowIfTooLong(json);
        }

        _ = UniqueNames(ordered.Select(static entry => entry.Name), nameof(entries));
        json.Write("}"u8);
        while (json.WrittenCount % 8 != 0)
        {
            json.Write(" "u8);
        }

        ThrowIfTooLong(json);
        byte[] start = json.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(start, start.Length - HeaderPrefix.Size);
        return new WriteLayout(ordered, start, start.Length + end);
    }

    /// <exception cref="ArgumentException">A key or a value is null: it would be neither written nor left out.</exception>
    public static void RefuseNulls(IReadOnlyDictionary<string, string>? metadata)
    {
        foreach ((string key, string value) in metadata ?? new Dictionary<string, string>())
        {
            if (key is null || value is null)
            {
                throw new ArgumentException(
                    key is null
                        ? "The metadata has null for a key."
                        : $"The metadata has null for the key {Printable.Name(key)}: give it a text, or leave the key out.",
                    nameof(metadata));
            }
        }
    }

    private static void WriteMetadata(ArrayBufferWriter<byte> json, IReadOnlyDictionary<string, string>? metadata, bool last)
    {
        if (metadata is null)
        {
            return;
        }

        (byte[] Key, byte[] Value)[] pairs =
        [
            .. metadata.Select(static pair =>
                (HeaderText.Encode(pair.Key, "A metadata key", nameof(metadata)),
                    HeaderText.Encode(pair.Value, "A metadata value", nameof(metadata)))),
        ];
        Array.Sort(pairs, static (a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key));
        json.Write("\"__metadata__\":{"u8);
        for (int i = 0; i < pairs.Length; i++)
        {
            HeaderText.WriteString(json, pairs[i].Key);
            json.Write(":"u8);
            HeaderText.WriteString(json, pairs[i].Value);
            json.Write(i == pairs.Length - 1 ? ""u8 : ","u8);
            ThrowIfTooLong(json);
        }

        json.Write(last ? "}"u8 : "},"u8);
    }

    private static void WriteEntry(ArrayBufferWriter<byte> json, SafeTensorsEntry entry, long begin, bool last)
    {
        HeaderText.WriteString(json, entry.Utf8Name);
        HeaderText.WriteRaw(json, ":{\"dtype\":\"" + entry.DType.Name() + "\",\"shape\":");
        HeaderText.WriteNumbers(json, Enumerable.Range(0, entry.Shape.Rank).Select(axis => entry.Shape[axis]));
        json.Write(",\"data_offsets\":"u8);
        HeaderText.WriteNumbers(json, [(ulong)begin, (ulong)(begin + entry.ByteLength)]);
        json.Write(last ? "}"u8 : "},"u8);
    }

    private static int Compare(SafeTensorsEntry a, SafeTensorsEntry b)
    {
        int byWidth = b.DType.CompareTo(a.DType);
        return byWidth != 0 ? byWidth : a.Utf8Name.AsSpan().SequenceCompareTo(b.Utf8Name);
    }

    /// <exception cref="ArgumentException">Two names are the same.</exception>
    public static HashSet<string> UniqueNames(IEnumerable<string> names, string parameter)
    {
        var unique = new HashSet<string>(StringComparer.Ordinal);
        return names.FirstOrDefault(name => !unique.Add(name)) is { } twin
            ? throw new ArgumentException($"Two tensors have the name {Printable.Name(twin)}; names are unique in a file.", parameter)
            : unique;
    }

    private static void ThrowIfTooLong(ArrayBufferWriter<byte> json)
    {
        if (json.WrittenCount - HeaderPrefix.Size > HeaderPrefix.Limit)
        {
            throw new ArgumentException(
                $"The header of these tensors and metadata is longer than the {HeaderPrefix.Limit} bytes that readers accept; "
                + "write several files.");
        }
    }
}
