namespace TypedWeights;

/// <summary>A checked header: every rule of the format holds for it, so its tensors tile the data that follows.</summary>
public sealed class SafeTensorsHeader
{
    internal SafeTensorsHeader(
        long headerLength, string sha256, IReadOnlyDictionary<string, string> metadata, IReadOnlyList<TensorInfo> tensors)
    {
        HeaderLength = headerLength;
        Sha256 = sha256;
        Metadata = metadata;
        Tensors = tensors;
    }

    /// <summary>The header's length in bytes, without the eight bytes that hold it.</summary>
    public long HeaderLength { get; }

    /// <summary>The position in the file of the first byte of data.</summary>
    public long DataStart => 8 + HeaderLength;

    /// <summary>The number of bytes of data.</summary>
    public long DataLength => Tensors.Count == 0 ? 0 : Tensors[^1].End;

    /// <summary>SHA-256 of the header's bytes, padding included, in lower-case hexadecimal.</summary>
    public string Sha256 { get; }

    /// <summary>The <c>__metadata__</c>; empty where the header has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors in the order of their data: by begin, then by end.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; }
}
