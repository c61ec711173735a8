namespace TypedWeights;

/// <summary>
/// How far a load has come. Reported at most ten times a second, and once at the end. Tensors that are mapped and not read are complete
/// from the start and count no bytes.
/// </summary>
/// <param name="Files">Files that have been read to the end.</param>
/// <param name="FilesTotal">Files that hold something to read.</param>
/// <param name="Tensors">Tensors that have all their bytes.</param>
/// <param name="TensorsTotal">Tensors wanted.</param>
/// <param name="Bytes">Bytes of tensors read.</param>
/// <param name="BytesTotal">Bytes of tensors to read.</param>
/// <param name="Elapsed">Time since the first byte was asked for.</param>
public readonly record struct LoadProgress(
    int Files, int FilesTotal, int Tensors, int TensorsTotal, long Bytes, long BytesTotal, TimeSpan Elapsed)
{
    /// <summary>Bytes a second over the whole time so far; 0 at the start.</summary>
    public double BytesPerSecond => Elapsed > TimeSpan.Zero ? Bytes / Elapsed.TotalSeconds : 0;

    /// <summary>From 0 to 1; 1 where there is nothing to read.</summary>
    public double Fraction => BytesTotal > 0 ? (double)Bytes / BytesTotal : 1;
}
