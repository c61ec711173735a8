using System.Globalization;
using TypedWeights.Memory;

namespace TypedWeights.Streaming.Planning;

/// <summary>The most host memory that a load may take, and where that comes from.</summary>
/// <param name="Bytes">How much; null for no limit.</param>
/// <param name="Reason">What sets the limit and what to do about it, after the words "more than"; empty for no limit.</param>
internal readonly record struct MemoryBound(long? Bytes, string Reason)
{
    // What the runtime and libtorch still grow by while they load: code, threads, the collector's own.
    private const long Reserve = 16L << 20;

    // Stores open files for a load without being told of it, and some have to read all of a file for that (UnannouncedLength).
    private static readonly AsyncLocal<long?> LimitOfLoad = new();

    /// <summary>The limit of the load that this task is a part of; outside of any, what the container leaves.</summary>
    public static MemoryBound OfLoad => Of(LimitOfLoad.Value);

    /// <summary>Makes what the calling method opens from here on a part of a load.</summary>
    /// <param name="memoryLimit">The load's limit; null for what the container leaves.</param>
    public static void BeginLoad(long? memoryLimit) => LimitOfLoad.Value = memoryLimit;

    /// <summary>The limit of a load that begins now.</summary>
    /// <param name="memoryLimit">The one that it was given; null for what the container leaves.</param>
    public static MemoryBound Of(long? memoryLimit) => memoryLimit is { } limit
        ? new(limit, string.Create(CultureInfo.InvariantCulture, $"the {limit:N0} of LoadOptions.MemoryLimit. Raise it"))
        : ContainerMemory.Read() is { } container ? In(container) : default;

    /// <summary>The limit that a container sets.</summary>
    public static MemoryBound In(ContainerMemory container)
    {
        long left = Math.Max(HeaderBudget.Least, container.Free - Reserve);
        return new(left, string.Create(
            CultureInfo.InvariantCulture,
            $"the {left:N0} that this container leaves ({container.Where} allows {container.Limit:N0}, and {container.Used:N0} are in use). "
                + $"Give the container more memory"));
    }
}
