using System.Globalization;
using TypedWeights.Sources;

namespace TypedWeights.Transfer.Retry;

/// <summary>A file across a network whose ranges survive what passes: broken connections, servers that are busy, stalls.</summary>
internal sealed class ResilientSource : IWeightSource, IRequestedSource
{
    private readonly TransferContext _context;
    private readonly int _firstBytes;

    /// <param name="inner">The file; disposed with this one.</param>
    /// <param name="retry">The policy of the location.</param>
    /// <param name="context">The loader's.</param>
    /// <param name="firstBytes">How many bytes came along with the opening answer: reading them is no request.</param>
    public ResilientSource(IWeightSource inner, RetryPolicy retry, TransferContext context, int firstBytes)
    {
        Inner = inner;
        Retry = retry;
        _context = context;
        _firstBytes = firstBytes;
    }

    public string Display => Inner.Display;

    public long Length => Inner.Length;

    public string? Validator => Inner.Validator;

    public string? Version => Inner.Version;

    public bool IsSequential => Inner.IsSequential;

    public HttpRequestMessage? Asked => (Inner as IRequestedSource)?.Asked;

    internal IWeightSource Inner { get; }

    internal RetryPolicy Retry { get; }

    /// <summary>Asks for nothing yet: the first read does.</summary>
    public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult<IRangeReader>(
            new ResumingReader(this, _context, offset, length, isInMemory: offset + length <= _firstBytes));
    }

    public ValueTask DisposeAsync() => Inner.DisposeAsync();

    /// <summary>
    /// What a cancelled call means that the caller did not cancel: the guard's doing, or that of a client with a time-out of its own.
    /// </summary>
    /// <param name="display">The file as it may be shown.</param>
    /// <param name="guard">That of the call.</param>
    /// <param name="isUnserved">Whether the call got no answer at all.</param>
    /// <param name="e">How the call ended.</param>
    internal static WeightSourceException Ended(string display, StallGuard guard, bool isUnserved, Exception e) =>
        guard.HasFired ? Stalled(display, guard, isUnserved, e) : GivenUp(display, e);

    internal static WeightSourceException GivenUp(string display, Exception e) =>
        new(display, "a read was given up by its source.", innerException: e) { IsTransient = true };

    private static WeightSourceException Stalled(string display, StallGuard guard, bool isUnserved, Exception e) => new(
        display,
        $"nothing came for {guard.Silence.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} s.",
        innerException: e)
    {
        IsTransient = true,
        IsUnserved = isUnserved,
        IsEarly = guard.IsEarly,
    };
}
