using System.Globalization;

namespace TypedWeights.Memory;

/// <summary>
/// The most host memory that a load may use, and the reason for that limit. The limit of the container is read at most once, and only for a load
/// that is large enough: reading it takes a fifth of the time of a small load.
/// </summary>
internal sealed class MemoryBound
{
    // The growth of the runtime and libtorch during a load: code, threads, data of the garbage collector.
    private const long Reserve = 16L << 20;

    // A small part of the reserve: a load may take that much whatever the container has left.
    private const long LeastOfContainer = 1 << 20;

    // A store that opens a file does not know the load, and may have to read the whole file into memory (SequentialSource).
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

    /// <summary>The limit in bytes; null for no limit.</summary>
    public long? Bytes => _limit.Value.Bytes;

    /// <summary>What sets the limit and what to do about it, after the words "more than"; empty for no limit.</summary>
    public string Reason => _limit.Value.Reason;

    /// <summary>The limit of the load that the current task belongs to; outside of a load, the free memory of the container.</summary>
    public static MemoryBound OfLoad => Of(LimitOfLoad.Value);

    /// <summary>Sets the limit for everything that the calling method opens from now on.</summary>
    /// <param name="memoryLimit">The load's limit; null for the free memory of the container.</param>
    public static void BeginLoad(long? memoryLimit) => LimitOfLoad.Value = memoryLimit;

    /// <summary>The limit of a load that starts now.</summary>
    /// <param name="memoryLimit">The limit that the user set; null for the free memory of the container.</param>
    public static MemoryBound Of(long? memoryLimit) => memoryLimit is { } limit
        ? new(0, () => (limit, string.Create(CultureInfo.InvariantCulture, $"the {limit:N0} of the option MemoryLimit. Raise it")))
        : In(() => ContainerMemory.Read());

    /// <summary>The limit that a container sets.</summary>
    /// <param name="read">Reads the limits of the container; its result is null if there is no container.</param>
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
