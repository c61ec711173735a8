namespace TypedWeights;

/// <summary>How bytes are fetched: over how many connections, in what parts, how patiently, and with how much memory.</summary>
/// <remarks>
/// Connections, parts, gaps and retries are about stores across a network; a file of this machine is read by a few threads at
/// positions. One loader has one set of these.
/// </remarks>
public sealed record TransferOptions
{
    // What every timer takes.
    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(1);

    /// <summary>The connections that a load begins with, and the fewest it goes on with while the server serves as many.</summary>
    /// <value>8</value>
    public int MinConnections { get; init; } = 8;

    /// <summary>The most connections of one load; it grows towards them for as long as that makes it faster.</summary>
    /// <value>32</value>
    public int MaxConnections { get; init; } = 32;

    /// <summary>The most bytes asked for in one request. Small loads, and the end of large ones, are cut finer.</summary>
    /// <value>8 MiB</value>
    public long PartSize { get; init; } = 8L << 20;

    /// <summary>
    /// The most bytes between two wanted tensors that are read along and dropped, as that takes less time than another request.
    /// </summary>
    /// <value>1 MiB across a network; files of this machine are read without their gaps.</value>
    public long GapSize { get; init; } = 1L << 20;

    /// <summary>
    /// The most host memory that a load takes beyond the tensors: headers, what connections hold, spare and staging buffers.
    /// </summary>
    /// <value>256 MiB</value>
    public long BufferLimit { get; init; } = 256L << 20;

    /// <summary>
    /// The page-locked host memory through which bytes go to a GPU: one ring of buffers for a loader, made by its first load onto one and
    /// shared by all of them. It counts for <see cref="BufferLimit"/> and never takes more than half of that; a small load makes a small one.
    /// </summary>
    /// <value>128 MiB</value>
    public long StagingSize { get; init; } = 128L << 20;

    /// <summary>
    /// The most bytes a second of one loader, over all its connections; null for as many as there are. Files of this machine are not slowed.
    /// </summary>
    /// <value>null</value>
    public long? BytesPerSecond { get; init; }

    /// <summary>
    /// The longest time in which nothing comes, neither a first byte nor a further one, before a request is given up and repeated; at most
    /// a day. Once it is known how long the server usually takes, a request is repeated sooner, after a small multiple of that and at least
    /// a second, which costs none of the <see cref="Attempts"/>.
    /// </summary>
    /// <value>20 seconds</value>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How often one read is tried, the first time included, without a further byte coming.</summary>
    /// <value>6</value>
    public int Attempts { get; init; } = 6;

    /// <summary>
    /// The wait before the second attempt, doubled for each further one, with jitter, and never beyond 30 seconds; a server's
    /// <c>Retry-After</c> stands in for it.
    /// </summary>
    /// <value>200 milliseconds</value>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Whether a straggling part near the end is asked for a second time, over another connection; the faster answer counts.</summary>
    /// <value>true</value>
    public bool Hedging { get; init; } = true;

    /// <summary>Throws where a value makes no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One of the values is out of its range; the message names it.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MinConnections, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxConnections, MinConnections);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxConnections, 1024);
        ArgumentOutOfRangeException.ThrowIfLessThan(PartSize, 64 << 10, nameof(PartSize));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(PartSize, 1 << 30, nameof(PartSize));
        ArgumentOutOfRangeException.ThrowIfNegative(GapSize);
        ArgumentOutOfRangeException.ThrowIfLessThan(BufferLimit, 1 << 20, nameof(BufferLimit));
        ArgumentOutOfRangeException.ThrowIfLessThan(StagingSize, 256 << 10, nameof(StagingSize));
        ArgumentOutOfRangeException.ThrowIfLessThan(BytesPerSecond ?? 1, 1, nameof(BytesPerSecond));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(StallTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(StallTimeout, LongestTime, nameof(StallTimeout));
        ArgumentOutOfRangeException.ThrowIfLessThan(Attempts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(RetryDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(RetryDelay, LongestTime, nameof(RetryDelay));
    }
}
