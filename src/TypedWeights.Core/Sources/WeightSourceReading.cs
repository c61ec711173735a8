namespace TypedWeights.Sources;

/// <summary>Small reads: headers and indexes. The payload goes through the scheduler.</summary>
internal static class WeightSourceReading
{
    /// <summary>Reads a range into a new array.</summary>
    /// <param name="source">The opened file.</param>
    /// <param name="offset">The first byte.</param>
    /// <param name="length">The number of bytes; the caller has compared it with a limit and with the file's length.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    public static async ValueTask<byte[]> ReadAsync(
        this IWeightSource source, long offset, int length, CancellationToken cancellationToken)
    {
        if (length == 0)
        {
            return [];
        }

        byte[] bytes = GC.AllocateUninitializedArray<byte>(length);
        IRangeReader reader = await source.OpenRangeAsync(offset, length, cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            await reader.FillAsync(bytes, static _ => { }, cancellationToken).ConfigureAwait(false);
        }

        return bytes;
    }
}
