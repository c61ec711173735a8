using System.Globalization;
using TypedWeights.Memory;
using TypedWeights.Sources.Http;
using TypedWeights.Transfer.Limits;

namespace TypedWeights.Transfer.Planning;

/// <summary>The memory that a sink takes for a plan's tensors, known before any of it is allocated.</summary>
/// <param name="TensorBytes">Host memory of the tensors that are read, alignment included.</param>
internal sealed record SinkMemory(long TensorBytes)
{
    /// <summary>Host memory that bytes pass through on their way into the tensors.</summary>
    public long StagingBytes { get; init; }

    /// <summary>Pinned memory on the way to devices, which the devices share.</summary>
    public long RingBytes { get; init; }

    /// <summary>The memory of other devices, by the device's name (<c>cuda:0</c>).</summary>
    public IReadOnlyDictionary<string, long> Devices { get; init; } = new Dictionary<string, long>();

    /// <summary>All tensors that are read, in one region of host memory.</summary>
    public static SinkMemory InHost(TransferPlan plan) => InHost(ArenaLayout.Of(plan));

    /// <summary>The same for a layout that is already known.</summary>
    public static SinkMemory InHost(ArenaLayout layout) => new(HeapRegion.SizeFor(layout.Length));

    /// <summary>All tensors that are read, on one device.</summary>
    /// <param name="device">Its name.</param>
    /// <param name="layout">The tensors' places on the device.</param>
    /// <param name="ringBytes">The pinned memory that their bytes pass through.</param>
    public static SinkMemory OnDevice(string device, DeviceLayout layout, long ringBytes) => new(0)
    {
        RingBytes = ringBytes,
        Devices = new Dictionary<string, long> { [device] = layout.RoomBytes },
    };

    /// <summary>The memory of two sinks together.</summary>
    public static SinkMemory operator +(SinkMemory left, SinkMemory right) => new(left.TensorBytes + right.TensorBytes)
    {
        StagingBytes = left.StagingBytes + right.StagingBytes,
        RingBytes = Math.Max(left.RingBytes, right.RingBytes),
        Devices = left.Devices.Concat(right.Devices)
            .GroupBy(static pair => pair.Key, static pair => pair.Value, StringComparer.Ordinal)
            .ToDictionary(static device => device.Key, static device => device.Sum(), StringComparer.Ordinal),
    };
}

/// <summary>The memory that a plan takes, known before any of it is allocated. The one place that computes it.</summary>
/// <param name="TensorBytes">Host memory of the tensors that are read, alignment included; 0 when they are on a device.</param>
/// <param name="BufferBytes">Host memory of everything else: headers, connections, and buffers on the way into the tensors.</param>
internal readonly record struct MemoryNeed(long TensorBytes, long BufferBytes)
{
    // Beside its text, a parsed header takes 2.8 MB for 20,000 tensors with usual names, and twice as much for long names.
    private const int BytesPerTensor = 288;

    // The buffers of the HTTP client, of TLS and of the stream below TLS, and the buffer that gaps are read into.
    private const long BytesPerConnection = (64 << 10) + ReadAheadStream.Size;

    /// <summary>The memory of each other device, by its name.</summary>
    public IReadOnlyDictionary<string, long> Devices { get; init; } = new Dictionary<string, long>();

    /// <summary>The memory of all other devices together.</summary>
    public long DeviceBytes => Devices.Values.Sum();

    /// <summary>All host memory.</summary>
    public long HostBytes => TensorBytes + BufferBytes;

    /// <param name="plan">The plan.</param>
    /// <param name="options">How it will be read.</param>
    /// <param name="isRemote">Whether it is read across a network.</param>
    /// <param name="sink">The memory of the sink; null for one that puts all tensors into host memory.</param>
    public static MemoryNeed Of(TransferPlan plan, TransferOptions options, bool isRemote, SinkMemory? sink = null)
    {
        sink ??= SinkMemory.InHost(plan);
        int connections = isRemote ? Math.Min(options.MaxConnections, plan.Ranges.Count) : 0;
        long headers = plan.Files.Sum(static file => HeaderBytes(file.Header));
        return new MemoryNeed(sink.TensorBytes, sink.StagingBytes + sink.RingBytes + headers + (connections * BytesPerConnection))
        {
            Devices = sink.Devices,
        };
    }

    private static long HeaderBytes(SafeTensorsHeader header) => header.HeaderLength + ((long)header.Tensors.Count * BytesPerTensor);

    /// <summary>The memory that the limits leave for the buffers of a local cache.</summary>
    public long LeftForCache(TransferOptions options, long? memoryLimit) =>
        Math.Max(0, Math.Min(options.BufferLimit - BufferBytes, (memoryLimit ?? long.MaxValue) - HostBytes));

    /// <summary>Refuses a load that exceeds a limit.</summary>
    /// <param name="source">The checkpoint as it may be shown.</param>
    /// <param name="options">The options, with the limit for buffers.</param>
    /// <param name="bound">The limit for all host memory.</param>
    /// <param name="isRemote">Whether the files are read across a network.</param>
    /// <param name="mayMap">Whether the load could map its local files instead: the source is a path, and is not mapped already.</param>
    /// <exception cref="MemoryLimitException">The load needs more; the message has the numbers.</exception>
    public void ThrowIfBeyond(string source, TransferOptions options, MemoryBound bound, bool isRemote, bool mayMap = true)
    {
        if (!bound.Allows(HostBytes))
        {
            string map = isRemote || !mayMap || DeviceBytes > 0 ? "" : ", map the file (Storage = TensorStorage.Mapped)";
            string less = TensorBytes == 0 ? "" : map + ", or select fewer tensors (Filter, in an untyped load)";
            throw new MemoryLimitException(source, TensorBytes, BufferBytes, bound.Bytes!.Value, $"more than {bound.Reason}{less}.");
        }

        if (BufferBytes > options.BufferLimit)
        {
            string connections = isRemote ? ", or lower its MaxConnections" : "";
            throw new MemoryLimitException(source, TensorBytes, BufferBytes, options.BufferLimit, string.Create(
                CultureInfo.InvariantCulture,
                $"more for buffers than the {options.BufferLimit:N0} of TransferOptions.BufferLimit. Raise it{connections}."));
        }
    }
}
