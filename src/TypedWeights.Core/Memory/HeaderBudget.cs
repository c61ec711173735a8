using System.Globalization;

namespace TypedWeights.Memory;

/// <summary>
/// The memory that the headers of one checkpoint and its index may take, or a snapshot: what needs more is refused before it is read.
/// </summary>
/// <param name="bound">The most for everything.</param>
/// <param name="bufferLimit">The most for headers.</param>
internal sealed class HeaderBudget(MemoryBound bound, long bufferLimit = long.MaxValue)
{
    /// <summary>So much is always there to find out what a load takes, and to say it.</summary>
    public const long Least = 1 << 18;

    private long _taken;
    private long _headers;

    /// <summary>What a header takes, with all that is made of it: a usual one of up to a million tensors takes less.</summary>
    public static long MemoryOf(long headerLength) => headerLength * 4;

    /// <summary>The most that the JSON text of an index or a snapshot takes, with all that is made of it, whatever is in it.</summary>
    public static long MemoryOfText(long length) => length * SafeTensorsHeader.MostMemory;

    /// <summary>Takes the memory of one more header.</summary>
    /// <exception cref="MemoryLimitException">There is less.</exception>
    public void Take(string source, int headerLength)
    {
        long memory = MemoryOf(headerLength);
        string what = string.Create(CultureInfo.InvariantCulture, $"a header of {headerLength:N0} bytes");
        Take(source, memory, what);
        long headers = Interlocked.Add(ref _headers, memory);
        if (headers > Math.Max(Least, bufferLimit))
        {
            throw TooMuch(
                source, headers, bufferLimit,
                string.Create(CultureInfo.InvariantCulture, $"the {bufferLimit:N0} of TransferOptions.BufferLimit. Raise it"), what);
        }
    }

    /// <summary>Takes memory for something else that is about to be read.</summary>
    /// <param name="source">The file as it may be shown.</param>
    /// <param name="memory">How much, in bytes.</param>
    /// <param name="what">What it is for: <c>an index of 1,000 bytes</c>.</param>
    /// <exception cref="MemoryLimitException">There is less.</exception>
    public void Take(string source, long memory, string what)
    {
        long all = Interlocked.Add(ref _taken, memory);
        if (all > Least && !bound.Allows(all))
        {
            throw TooMuch(source, all, bound.Bytes!.Value, bound.Reason, what);
        }
    }

    private static MemoryLimitException TooMuch(string source, long needed, long limit, string reason, string what) =>
        new(source, tensorBytes: 0, needed, limit, $"more than {reason}; {what} was not read.");
}
