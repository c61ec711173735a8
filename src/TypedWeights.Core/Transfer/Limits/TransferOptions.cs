namespace TypedWeights;

/// <summary>How bytes are read: the number of connections, the size of ranges, retries, and memory for buffers.</summary>
/// <remarks>
/// Connections, ranges, gaps and retries concern sources across a network; a few threads read a local file. A loader has one set of
/// these options.
/// </remarks>
public sealed record TransferOptions
{
    // Every timer accepts this.
    private static readonly TimeSpan LongestTime = TimeSpan.FromDays(1);

    /// <summary>The number of connections at the start of a load, and the smallest number while the server serves that many.</summary>
    /// <value>8</value>
    public int MinConnections { get; init; } = 8;

    /// <summary>The largest number of connections of one load. The number grows up to this limit while that makes the load faster.</summary>
    /// <value>32</value>
    public int MaxConnections { get; init; } = 32;

    /// <summary>The most bytes of one request. Small loads, and the end of large ones, use smaller requests.</summary>
    /// <value>8 MiB</value>
    public long PartSize { get; init; } = 8L << 20;

    /// <summary>
    /// The most bytes between two wanted tensors that are read and dropped because that takes less time than another request.
    /// </summary>
    /// <value>1 MiB. The gaps of a local file are not read.</value>
    public long GapSize { get; init; } = 1L << 20;

    /// <summary>
    /// The most host memory that a load takes in addition to the tensors: headers, the buffers of connections, staging buffers.
    /// </summary>
    /// <value>256 MiB</value>
    public long BufferLimit { get; init; } = 256L << 20;

    /// <summary>
    /// The pinned host memory that bytes pass through on their way to a GPU: one ring of buffers for a loader, made by its first load onto
    /// a GPU and shared by all loads. It counts towards <see cref="BufferLimit"/> and takes at most half of it. A small load makes a small
    /// ring.
    /// </summary>
    /// <value>128 MiB</value>
    public long StagingSize { get; init; } = 128L << 20;

    /// <summary>
    /// The most bytes per second of one loader, over all its connections; null for no limit. Local files are not slowed down.
    /// </summary>
    /// <value>null</value>
    public long? BytesPerSecond { get; init; }

    /// <summary>
    /// The longest time in which a request may receive no byte, before it is ended and repeated; at most a day. Once the usual pause of the
    /// server has been measured, a request is repeated sooner: after a small multiple of that pause, and at least a second. That costs none
    /// of the <see cref="Attempts"/>.
    /// </summary>
    /// <value>20 seconds</value>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The number of attempts of one read, the first included, between two bytes that arrive.</summary>
    /// <value>6</value>
    public int Attempts { get; init; } = 6;

    /// <summary>
    /// The longest wait before the second attempt. It doubles with each further attempt, up to 30 seconds; half of it is random. A longer
    /// <c>Retry-After</c> of the server is used instead.
    /// </summary>
    /// <value>200 milliseconds</value>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Throws if a value is out of its range.</summary>
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
