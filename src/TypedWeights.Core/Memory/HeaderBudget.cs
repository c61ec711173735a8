using System.Globalization;

namespace TypedWeights.Memory;

/// <summary>
/// The memory that the headers of one checkpoint and its index may take, or a snapshot: text that needs more is rejected before it is read.
/// </summary>
/// <param name="bound">The most memory for everything.</param>
/// <param name="bufferLimit">The most memory for headers, in bytes.</param>
internal sealed class HeaderBudget(MemoryBound bound, long bufferLimit = long.MaxValue)
{
    /// <summary>So many bytes are always available to find out what a load takes, and to report it.</summary>
    public const long Least = 1 << 18;

    private long _taken;
    private long _headers;

    /// <summary>The memory of a header with all that is made of it: a usual header of up to a million tensors takes less.</summary>
    public static long MemoryOf(long headerLength) => headerLength * 4;

    /// <summary>The most memory that the JSON text of a header, an index or a snapshot needs while it is read, whatever it contains.</summary>
    public static long MemoryOfText(long length) => length * 10;

    /// <summary>The error of a text that the system could not allocate memory for.</summary>
    /// <param name="source">The file as it may be shown.</param>
    /// <param name="text">The text, such as <c>an index</c>.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="cause">The error of the system.</param>
    public static WeightsException NoMemory(string source, string text, long length, OutOfMemoryException cause) => new(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{source}: the system could not allocate memory for {text} of {length:N0} bytes, "
                + $"which takes up to {MemoryOfText(length):N0} bytes to read."),
        cause);

    /// <summary>Takes the memory of one more header.</summary>
    /// <exception cref="MemoryLimitException">Less is left.</exception>
    public void Take(string source, int headerLength)
    {
        long memory = MemoryOf(headerLength);
        string what = string.Create(CultureInfo.InvariantCulture, $"a header of {headerLength:N0} bytes");
        Take(source, memory, what);
        long headers = Interlocked.Add(ref _headers, memory);
        if (headers > Math.Max(Least, bufferLimit))
        {
            string limit = string.Create(CultureInfo.InvariantCulture, $"the {bufferLimit:N0} of TransferOptions.BufferLimit. Raise it");
            throw TooMuch(source, headers, bufferLimit, limit, what);
        }
    }

    /// <summary>Takes memory for another text that is about to be read.</summary>
    /// <param name="source">The file as it may be shown.</param>
    /// <param name="memory">How much, in bytes.</param>
    /// <param name="what">What it is for: <c>an index of 1,000 bytes</c>.</param>
    /// <exception cref="MemoryLimitException">Less is left.</exception>
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
