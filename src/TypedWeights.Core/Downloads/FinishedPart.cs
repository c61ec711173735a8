namespace TypedWeights.Downloads;

/// <summary>Bytes that have been written, as the journal knows them.</summary>
/// <param name="Offset">The first byte, counted from the start of the file.</param>
/// <param name="Length">The number of bytes, at least 1.</param>
/// <param name="Hash">XXH128 of the bytes: XXH3 in its wide form.</param>
internal readonly record struct FinishedPart(long Offset, long Length, UInt128 Hash)
{
    /// <summary>The byte behind the last one.</summary>
    public long End => Offset + Length;
}
