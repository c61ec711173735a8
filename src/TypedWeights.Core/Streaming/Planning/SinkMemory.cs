using TypedWeights.Memory;
using TypedWeights.Streaming.Limits;

namespace TypedWeights.Streaming.Planning;

/// <summary>What a sink takes for a plan's tensors, known before any of it is allocated.</summary>
/// <param name="TensorBytes">Host memory of the tensors that are read, with what aligns them.</param>
internal sealed record SinkMemory(long TensorBytes)
{
    /// <summary>Host memory that bytes pass through on their way into the tensors.</summary>
    public long StagingBytes { get; init; }

    /// <summary>Page-locked host memory of the ring that all loads of a loader, and all devices of a load, share.</summary>
    public long RingBytes { get; init; }

    /// <summary>The most that the ring will ever take, whoever wants some of it.</summary>
    public long RingLimit { get; init; }

    /// <summary>The memory of other devices, by the device's name (<c>cuda:0</c>).</summary>
    public IReadOnlyDictionary<string, long> Devices { get; init; } = new Dictionary<string, long>();

    /// <summary>All tensors that are read side by side in the host's memory.</summary>
    public static SinkMemory InHost(TransferPlan plan) => new(HeapRegion.RoomFor(plan.ReadLayout.Length));

    /// <summary>All tensors on a device, and the way there.</summary>
    /// <param name="device">Its name.</param>
    /// <param name="layout">How they lie there.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="staging">The ring's buffers.</param>
    public static SinkMemory OnDevice(string device, DeviceLayout layout, TransferPlan plan, StagingLimits staging) => new(0)
    {
        RingBytes = staging.RoomFor(plan),
        RingLimit = (long)staging.Buffers * staging.BufferSize,
        Devices = new Dictionary<string, long> { [device] = layout.RoomBytes },
    };

    /// <summary>What two sinks take together.</summary>
    public static SinkMemory operator +(SinkMemory left, SinkMemory right) => new(left.TensorBytes + right.TensorBytes)
    {
        StagingBytes = left.StagingBytes + right.StagingBytes,
        RingBytes = Math.Min(left.RingBytes + right.RingBytes, Math.Max(left.RingLimit, right.RingLimit)),
        RingLimit = Math.Max(left.RingLimit, right.RingLimit),
        Devices = left.Devices.Concat(right.Devices)
            .GroupBy(static pair => pair.Key, static pair => pair.Value, StringComparer.Ordinal)
            .ToDictionary(static device => device.Key, static device => device.Sum(), StringComparer.Ordinal),
    };
}
