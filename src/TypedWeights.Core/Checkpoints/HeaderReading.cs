using System.Buffers;
using System.Globalization;
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

    /// <summary>The same, where only so much memory may be used.</summary>
    /// <exception cref="MemoryLimitException">The header would take more; it was not asked for.</exception>
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
            return headerLength <= SafeTensorsHeader.LongestKept
                ? await ReadShortAsync(source, headerLength, cancellationToken).ConfigureAwait(false)
                : await ReadLongAsync(source, headerLength, cancellationToken).ConfigureAwait(false);
        }
        catch (OutOfMemoryException e)
        {
            throw new WeightsException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{source.Display}: the system has no memory for its header of {headerLength:N0} bytes, which takes up to "
                        + $"{(long)headerLength * SafeTensorsHeader.MostMemory:N0} bytes while it is read."),
                e);
        }
    }

    private static async ValueTask<SafeTensorsHeader> ReadShortAsync(IWeightSource source, int headerLength, CancellationToken cancellationToken)
    {
        // As an array of its own, the text of a header of a thousand tensors is a large object, and some of those make the collector look
        // at everything there is.
        byte[] buffer = ArrayPool<byte>.Shared.Rent(headerLength);
        try
        {
            Memory<byte> header = buffer.AsMemory(0, headerLength);
            await source.FillAsync(HeaderPrefix.Size, header, cancellationToken).ConfigureAwait(false);
            return SafeTensorsHeader.ParseText(header.Span, source.Length, source.Display, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Outside the managed heap, so that it is gone when it has been read, and so without being kept for its digest.
    private static async ValueTask<SafeTensorsHeader> ReadLongAsync(IWeightSource source, int headerLength, CancellationToken cancellationToken)
    {
        using var region = HeapRegion.Allocate(headerLength);
        Memory<byte> header = new NativeMemoryManager(region.Address, headerLength).Memory;
        await source.FillAsync(HeaderPrefix.Size, header, cancellationToken).ConfigureAwait(false);
        return SafeTensorsHeader.ParseText(header.Span, source.Length, source.Display, cancellationToken);
    }

    // For the message alone: where this read fails, what is known already is the better error.
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
