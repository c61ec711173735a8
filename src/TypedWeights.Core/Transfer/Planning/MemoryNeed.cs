using System.Globalization;
using TypedWeights.Memory;
using TypedWeights.Sources.Http;
using TypedWeights.Transfer.Limits;

namespace TypedWeights.Transfer.Planning;

/// <summary>The memory that a plan will take, known before any of it is allocated. The one place that computes it.</summary>
/// <param name="TensorBytes">Host memory of the tensors that are read, with what aligns them; 0 where they are on a device.</param>
/// <param name="BufferBytes">
/// Host memory that the load cannot do without: headers, what connections hold, and what bytes pass through on their way into tensors.
/// </param>
/// <param name="SpareBytes">The most that hedged requests may hold on top: as much as they can use, and less where a limit leaves less.</param>
internal readonly record struct MemoryNeed(long TensorBytes, long BufferBytes, long SpareBytes)
{
    // Beside its text, a header takes what was made of it: 2.8 MB for 20,000 tensors whose names are usual, and, with what grew on the
    // way, twice as much for names that are long.
    private const int BytesPerTensor = 288;

    // What the HTTP client, and TLS below it, hold of each connection, what is read ahead for TLS, and what bytes of gaps are read into.
    private const long BytesPerConnection = (64 << 10) + ReadAheadStream.Size;

    /// <summary>The memory of each other device, by its name.</summary>
    public IReadOnlyDictionary<string, long> Devices { get; init; } = new Dictionary<string, long>();

    /// <summary>The memory of all other devices together.</summary>
    public long DeviceBytes => Devices.Values.Sum();

    /// <summary>All of the host's memory at its peak.</summary>
    public long HostBytes => TensorBytes + BufferBytes + SpareBytes;

    /// <param name="plan">The plan.</param>
    /// <param name="options">How it will be read.</param>
    /// <param name="isRemote">Whether that crosses a network.</param>
    /// <param name="memoryLimit">The most host memory that the load may take in all; null for no limit.</param>
    /// <param name="sink">What the sink takes; null for one that has all tensors in the host's memory.</param>
    public static MemoryNeed Of(
        TransferPlan plan, TransferOptions options, bool isRemote, long? memoryLimit = null, SinkMemory? sink = null)
    {
        sink ??= SinkMemory.InHost(plan);
        long tensors = sink.TensorBytes;
        long buffers = sink.StagingBytes + sink.RingBytes + plan.Files.Sum(static file => HeaderBytes(file.Header));
        long spares = 0;
        if (isRemote)
        {
            int connections = Math.Min(ReaderLimits.For(options, isRemote).Max, plan.Ranges.Count);
            buffers += connections * BytesPerConnection;

            // A hedge stands beside the request that it may replace, each on a connection of its own.
            spares = options.Hedging ? connections / 2 * plan.LargestRange : 0;
            spares = Math.Clamp(Math.Min(options.BufferLimit, (memoryLimit ?? long.MaxValue) - tensors) - buffers, 0, spares);
        }

        return new MemoryNeed(tensors, buffers, spares) { Devices = sink.Devices };
    }

    private static long HeaderBytes(SafeTensorsHeader header) => header.HeaderLength + ((long)header.Tensors.Count * BytesPerTensor);

    /// <summary>What the limits leave for the buffers of a local cache, which goes without bytes where that is little.</summary>
    public long LeftForCache(TransferOptions options, long? memoryLimit) => Math.Max(
        0, Math.Min(options.BufferLimit - BufferBytes - SpareBytes, (memoryLimit ?? long.MaxValue) - HostBytes));

    /// <summary>Refuses a load that a limit does not allow. Spare buffers are no reason: it goes without them.</summary>
    /// <param name="source">The checkpoint as it may be shown.</param>
    /// <param name="options">With the limit for buffers.</param>
    /// <param name="bound">The limit for all.</param>
    /// <param name="isRemote">Whether the files are elsewhere.</param>
    /// <param name="mayMap">Whether the files of this machine could be mapped instead: they are files, and are not mapped already.</param>
    /// <exception cref="MemoryLimitException">The load needs more; the message has the numbers.</exception>
    public void ThrowIfBeyond(string source, TransferOptions options, MemoryBound bound, bool isRemote, bool mayMap = true)
    {
        if (!bound.Allows(TensorBytes + BufferBytes))
        {
            string map = isRemote || !mayMap || DeviceBytes > 0 ? "" : ", map the file (Storage = TensorStorage.Mapped)";
            string less = TensorBytes == 0 ? "" : map + ", or take fewer tensors (Filter, in an untyped load)";
            throw new MemoryLimitException(
                source,
                TensorBytes,
                BufferBytes,
                bound.Bytes!.Value,
                $"more than {bound.Reason}{less}.");
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
