using System.Globalization;

namespace TypedWeights.Streaming.Planning;

/// <summary>The memory that the headers of one checkpoint may take: one that needs more is refused before it is asked for.</summary>
/// <param name="bound">The most for everything.</param>
/// <param name="bufferLimit">The most for what is no tensor.</param>
internal sealed class HeaderBudget(MemoryBound bound, long bufferLimit = long.MaxValue)
{
    // So much is always there to find out what a load takes, and to say it.
    private const long Least = 1 << 18;

    private long _taken;

    /// <summary>What a header takes, with all that is made of it: a usual one of up to a million tensors takes less.</summary>
    public static long MemoryOf(long headerLength) => headerLength * 4;

    /// <summary>Takes the memory of one more header.</summary>
    /// <exception cref="MemoryLimitException">There is less.</exception>
    public void Take(string source, int headerLength)
    {
        long all = Interlocked.Add(ref _taken, MemoryOf(headerLength));
        if (all > Math.Max(Least, Math.Min(bound.Bytes ?? long.MaxValue, bufferLimit)))
        {
            string reason = all > bound.Bytes
                ? bound.Reason
                : string.Create(CultureInfo.InvariantCulture, $"the {bufferLimit:N0} of TransferOptions.BufferLimit. Raise it");
            throw new MemoryLimitException(
                source,
                tensorBytes: 0,
                all,
                Math.Min(bound.Bytes ?? long.MaxValue, bufferLimit),
                string.Create(CultureInfo.InvariantCulture, $"more than {reason}; a header of {headerLength:N0} bytes was not read."));
        }
    }
}
