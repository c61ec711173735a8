namespace TypedWeights;

/// <summary>
/// The progress of a load. Reported at most ten times per second, and once at the end. Tensors that are mapped and not read are complete
/// from the start, and their bytes do not count.
/// </summary>
/// <param name="Files">Files whose wanted bytes have all been read.</param>
/// <param name="FilesTotal">Files with bytes to read.</param>
/// <param name="Tensors">Tensors that are complete.</param>
/// <param name="TensorsTotal">Tensors wanted.</param>
/// <param name="Bytes">Bytes of tensors read.</param>
/// <param name="BytesTotal">Bytes of tensors to read.</param>
/// <param name="Elapsed">Time since the start of the transfer.</param>
public readonly record struct LoadProgress(
    int Files, int FilesTotal, int Tensors, int TensorsTotal, long Bytes, long BytesTotal, TimeSpan Elapsed)
{
    /// <summary>Bytes per second since the start; 0 at the start.</summary>
    public double BytesPerSecond => Elapsed > TimeSpan.Zero ? Bytes / Elapsed.TotalSeconds : 0;

    /// <summary>From 0 to 1; 1 if there is nothing to read.</summary>
    public double Fraction => BytesTotal > 0 ? (double)Bytes / BytesTotal : 1;
}
