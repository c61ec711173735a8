using TypedWeights.Memory;

namespace TypedWeights.Transfer.Planning;

/// <summary>What a sink takes for a plan's tensors, known before any of it is allocated.</summary>
/// <param name="TensorBytes">Host memory of the tensors that are read, with what aligns them.</param>
internal sealed record SinkMemory(long TensorBytes)
{
    /// <summary>Host memory that bytes pass through on their way into the tensors.</summary>
    public long StagingBytes { get; init; }

    /// <summary>Page-locked memory on the way to devices, which they share.</summary>
    public long RingBytes { get; init; }

    /// <summary>The memory of other devices, by the device's name (<c>cuda:0</c>).</summary>
    public IReadOnlyDictionary<string, long> Devices { get; init; } = new Dictionary<string, long>();

    /// <summary>All tensors that are read side by side in the host's memory.</summary>
    public static SinkMemory InHost(TransferPlan plan) => InHost(ArenaLayout.Of(plan));

    /// <summary>The same, where the layout is known.</summary>
    public static SinkMemory InHost(ArenaLayout layout) => new(HeapRegion.RoomFor(layout.Length));

    /// <summary>All tensors that are read on one device.</summary>
    /// <param name="device">Its name.</param>
    /// <param name="layout">How they lie there.</param>
    /// <param name="ringBytes">The page-locked memory that their bytes pass through.</param>
    public static SinkMemory OnDevice(string device, DeviceLayout layout, long ringBytes) => new(0)
    {
        RingBytes = ringBytes,
        Devices = new Dictionary<string, long> { [device] = layout.RoomBytes },
    };

    /// <summary>What two sinks take together.</summary>
    public static SinkMemory operator +(SinkMemory left, SinkMemory right) => new(left.TensorBytes + right.TensorBytes)
    {
        StagingBytes = left.StagingBytes + right.StagingBytes,
        RingBytes = Math.Max(left.RingBytes, right.RingBytes),
        Devices = left.Devices.Concat(right.Devices)
            .GroupBy(static pair => pair.Key, static pair => pair.Value, StringComparer.Ordinal)
            .ToDictionary(static device => device.Key, static device => device.Sum(), StringComparer.Ordinal),
    };
}
