namespace TypedWeights.Sources;

/// <summary>Small reads, of headers and indexes. The payload is read by jobs.</summary>
internal static class WeightSourceReading
{
    /// <summary>Reads a range into a new array.</summary>
    /// <param name="source">The opened file.</param>
    /// <param name="offset">The first byte.</param>
    /// <param name="length">The number of bytes; the caller has compared it with a limit and with the length of the file.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    public static async ValueTask<byte[]> ReadAsync(
        this IWeightSource source, long offset, int length, CancellationToken cancellationToken)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>(length);
        await source.FillAsync(offset, bytes, cancellationToken).ConfigureAwait(false);
        return bytes;
    }

    /// <summary>Reads a range into memory of the caller.</summary>
    /// <param name="source">The opened file.</param>
    /// <param name="offset">The first byte.</param>
    /// <param name="destination">As long as the range, which may be empty.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    public static async ValueTask FillAsync(
        this IWeightSource source, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (destination.IsEmpty)
        {
            return;
        }

        IRangeReader reader = await source.OpenRangeAsync(offset, destination.Length, cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            await reader.FillAsync(destination, static _ => { }, cancellationToken).ConfigureAwait(false);
        }
    }
}
