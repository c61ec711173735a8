using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Downloads;

/// <summary>Bytes on their way into a partial file, through a few buffers that are used again and again.</summary>
internal sealed class FileSink : IWeightSink
{
    private readonly PartialFile _file;
    private readonly SemaphoreSlim _free;
    private readonly ConcurrentBag<byte[]> _buffers = [];
    private int _bufferLength;

    /// <param name="file">Where they go; not disposed with this.</param>
    /// <param name="bufferLimit">The most bytes in buffers.</param>
    /// <param name="segmentSize">The longest segment of the plan.</param>
    public FileSink(PartialFile file, long bufferLimit, int segmentSize)
    {
        _file = file;
        _bufferLength = segmentSize;
        _free = new SemaphoreSlim((int)Math.Clamp(bufferLimit / segmentSize, 1, int.MaxValue));
    }

    public void Allocate(TransferPlan plan)
    {
        // A small file needs no large buffers.
        _bufferLength = (int)Math.Min(_bufferLength, plan.TotalBytes);
    }

    public async ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (!_buffers.TryTake(out byte[]? buffer))
        {
            buffer = GC.AllocateUninitializedArray<byte>(_bufferLength, pinned: true);
        }

        return buffer.AsMemory(0, checked((int)segment.Length));
    }

    public async ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken)
    {
        await _file.WriteAsync(segment.Offset, memory, cancellationToken).ConfigureAwait(false);
        if (MemoryMarshal.TryGetArray(memory, out ArraySegment<byte> buffer))
        {
            _buffers.Add(buffer.Array!);
        }

        _free.Release();
    }

    public async ValueTask CompleteAsync(CancellationToken cancellationToken) =>
        await _file.FlushAsync(cancellationToken).ConfigureAwait(false);

    public ValueTask DisposeAsync()
    {
        _buffers.Clear();
        _free.Dispose();
        return ValueTask.CompletedTask;
    }
}
