using TypedWeights.Format;
using TypedWeights.Memory;
using TypedWeights.Sources;

namespace TypedWeights.Checkpoints;

/// <summary>Reads the headers of opened files.</summary>
internal static class HeaderReading
{
    /// <summary>Reads and checks a file's header: eight bytes, then the header, never the payload.</summary>
    /// <param name="source">The opened file.</param>
    /// <param name="cancellationToken">Ends the reads and the parsing.</param>
    /// <exception cref="SafeTensorsFormatException">
    /// The file breaks a rule of the format; the message says what it may be instead.
    /// </exception>
    /// <exception cref="WeightSourceException">The file cannot be read.</exception>
    public static ValueTask<SafeTensorsHeader> ReadHeaderAsync(this IWeightSource source, CancellationToken cancellationToken = default) =>
        ReadHeaderAsync(source, budget: null, cancellationToken);

    /// <summary>Reads and checks a header that may take no more memory than a budget has.</summary>
    /// <exception cref="MemoryLimitException">The header would take more; it was not requested.</exception>
    internal static async ValueTask<SafeTensorsHeader> ReadHeaderAsync(
        this IWeightSource source, HeaderBudget? budget, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        try
        {
            return await ReadCoreAsync(source, budget, cancellationToken).ConfigureAwait(false);
        }
        catch (SafeTensorsFormatException e) when (RepeatedSecrets.Remove(e, source) is var clean && clean != e)
        {
            throw clean;
        }
    }

    private static async ValueTask<SafeTensorsHeader> ReadCoreAsync(
        IWeightSource source, HeaderBudget? budget, CancellationToken cancellationToken)
    {
        byte[] prefix = await source.ReadAsync(0, (int)Math.Min(HeaderPrefix.Size, source.Length), cancellationToken).ConfigureAwait(false);
        if (HeaderPrefix.Check(prefix, source.Length, out int headerLength) is { } broken)
        {
            byte[] start = await ReadStartAsync(source, prefix, cancellationToken).ConfigureAwait(false);
            throw HeaderErrors.Prefix(broken, start, source.Length, source.Display);
        }

        budget?.Take(source.Display, headerLength);
        try
        {
            // Outside the managed heap, so that the text is gone once it has been read: the text of a header of a thousand tensors is a large
            // object, and some of those make the collector look at everything.
            using var region = HeapRegion.Allocate(Math.Max(1, headerLength));
            Memory<byte> header = new NativeMemoryManager(region.Address, headerLength).Memory;
            await source.FillAsync(HeaderPrefix.Size, header, cancellationToken).ConfigureAwait(false);
            return SafeTensorsHeader.ParseText(header.Span, source.Length, source.Display, cancellationToken);
        }
        catch (OutOfMemoryException e)
        {
            throw HeaderBudget.NoMemory(source.Display, "a header", headerLength, e);
        }
    }

    // Only for the message: if this read fails, the known error is more useful.
    private static async ValueTask<byte[]> ReadStartAsync(IWeightSource source, byte[] prefix, CancellationToken cancellationToken)
    {
        try
        {
            int wanted = (int)Math.Min(FileSniffer.Wanted, source.Length);
            return await source.ReadAsync(0, wanted, cancellationToken).ConfigureAwait(false);
        }
        catch (WeightSourceException)
        {
            return prefix;
        }
    }
}
