using System.Globalization;

namespace TypedWeights.Memory;

/// <summary>
/// The most host memory that a load may take, and what sets that limit. The limit of the container is read at most once, and only for a load
/// that is large enough: reading it takes a fifth of the time of a small load.
/// </summary>
internal sealed class MemoryBound
{
    // What the runtime and libtorch still grow by while they load: code, threads, the collector's own.
    private const long Reserve = 16L << 20;

    // A small part of the reserve: a load may take that much whatever the container has left.
    private const long LeastOfContainer = 1 << 20;

    // Stores open files for a load without being told of it, and some have to read all of a file for that (SequentialSource).
    private static readonly AsyncLocal<long?> LimitOfLoad = new();

    private readonly long _least;
    private readonly Lazy<(long? Bytes, string Reason)> _limit;

    private MemoryBound(long least, Func<(long? Bytes, string Reason)> limit)
    {
        _least = least;
        _limit = new(limit);
    }

    /// <summary>No limit.</summary>
    public static MemoryBound None { get; } = new(0, () => (null, ""));

    /// <summary>How much; null for no limit.</summary>
    public long? Bytes => _limit.Value.Bytes;

    /// <summary>What sets the limit and what to do about it, after the words "more than"; empty for no limit.</summary>
    public string Reason => _limit.Value.Reason;

    /// <summary>The limit of the load that this task is a part of; outside of any, what the container leaves.</summary>
    public static MemoryBound OfLoad => Of(LimitOfLoad.Value);

    /// <summary>Makes what the calling method opens from here on a part of a load.</summary>
    /// <param name="memoryLimit">The load's limit; null for what the container leaves.</param>
    public static void BeginLoad(long? memoryLimit) => LimitOfLoad.Value = memoryLimit;

    /// <summary>The limit of a load that begins now.</summary>
    /// <param name="memoryLimit">The one that it was given; null for what the container leaves.</param>
    public static MemoryBound Of(long? memoryLimit) => memoryLimit is { } limit
        ? new(0, () => (limit, string.Create(CultureInfo.InvariantCulture, $"the {limit:N0} of the option MemoryLimit. Raise it")))
        : In(() => ContainerMemory.Read());

    /// <summary>The limit that a container sets.</summary>
    /// <param name="read">Asks the container; null for none.</param>
    public static MemoryBound In(Func<ContainerMemory?> read) => new(
        LeastOfContainer, () => read() is { } container ? LimitOf(container) : (null, ""));

    /// <summary>Whether a load may take that many bytes.</summary>
    public bool Allows(long bytes) => bytes <= _least || Bytes is not { } most || bytes <= most;

    private static (long? Bytes, string Reason) LimitOf(ContainerMemory container)
    {
        long left = Math.Max(LeastOfContainer, container.Free - Reserve);
        return (left, string.Create(
            CultureInfo.InvariantCulture,
            $"the {left:N0} that this container leaves ({container.Where} allows {container.Limit:N0}, and {container.Used:N0} are in use). "
                + $"Give the container more memory"));
    }
}
