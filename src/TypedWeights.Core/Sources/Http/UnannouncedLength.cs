using System.Buffers;
using System.Globalization;
using TypedWeights.Format;
using TypedWeights.Memory;

namespace TypedWeights.Sources.Http;

/// <summary>
/// Finds out how long a file is that came as a whole and without a length, in chunks or up to the end of the connection: a safetensors file's
/// header says it, and anything else, an index, is read to its end.
/// </summary>
internal static class UnannouncedLength
{
    // The limit of an index, which is the longest of what is no safetensors file.
    private const int Limit = ShardIndex.LengthLimit;

    /// <param name="body">The body, of which some has been read; it is told the length.</param>
    /// <param name="start">What has been read: fewer bytes than there was room for where that was all.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <param name="cancellationToken">Ends the reads.</param>
    /// <returns>The length of the file, and what has been read of it.</returns>
    /// <exception cref="WeightSourceException">It is neither a safetensors file nor short enough.</exception>
    /// <exception cref="MemoryLimitException">It takes more memory than the load's limit, or the container, leaves.</exception>
    public static async ValueTask<(long Length, ReadOnlyMemory<byte> Start)> FindAsync(
        HttpBody body, ReadOnlyMemory<byte> start, string display, CancellationToken cancellationToken)
    {
        var read = new ArrayBufferWriter<byte>();
        read.Write(start.Span);
        bool isHeader = IsHeader(start.Span, out int headerLength);
        int wanted = isHeader ? HeaderPrefix.Size + headerLength : Limit + 1;
        bool hasEnded = false;
        while (read.WrittenCount < wanted && !hasEnded)
        {
            if (read.FreeCapacity == 0)
            {
                ThrowIfTooLarge(display, isHeader ? headerLength : null, read.WrittenCount);
            }

            Memory<byte> room = read.GetMemory(1);
            int count = await body.ReadAsync(room[..Math.Min(room.Length, wanted - read.WrittenCount)], cancellationToken).ConfigureAwait(false);
            read.Advance(count);
            hasEnded = count == 0;
        }

        if (hasEnded)
        {
            return (read.WrittenCount, read.WrittenMemory);
        }

        if (!isHeader)
        {
            throw new WeightSourceException(
                display,
                "the server ignores range requests and does not say how long the file is (Content-Length), and it is neither a safetensors file "
                    + $"nor within {Limit.ToString("N0", CultureInfo.InvariantCulture)} bytes; "
                    + "fetch it with another program, such as curl, and load it from disk.");
        }

        if (HeaderReader.FileLength(read.WrittenSpan.Slice(HeaderPrefix.Size, headerLength), cancellationToken) is not { } length)
        {
            // Whoever reads the header next says what is wrong with it.
            return (wanted, read.WrittenMemory[..wanted]);
        }

        await body.ExpectAsync(length, cancellationToken).ConfigureAwait(false);
        return (length, read.WrittenMemory);
    }

    // Before the buffer grows: whoever opened the file can compare its length with a limit only when all of it is here.
    private static void ThrowIfTooLarge(string display, int? headerLength, int readSoFar)
    {
        var budget = new HeaderBudget(MemoryBound.OfLoad);
        if (headerLength is { } length)
        {
            budget.Take(display, length);
        }
        else
        {
            budget.Take(
                display,
                HeaderBudget.MemoryOfText(readSoFar),
                string.Create(CultureInfo.InvariantCulture, $"what comes behind its first {readSoFar:N0} bytes"));
        }
    }

    private static bool IsHeader(ReadOnlySpan<byte> start, out int length)
    {
        length = 0;
        return start.Length > HeaderPrefix.Size
            && HeaderPrefix.Check(start[..HeaderPrefix.Size], long.MaxValue, out length) is null
            && " \t\r\n{"u8.Contains(start[HeaderPrefix.Size]);
    }
}
