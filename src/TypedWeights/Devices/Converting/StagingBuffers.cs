using System.Buffers;
using System.Collections.Concurrent;
using TypedWeights.Memory;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Converting;

/// <summary>A few buffers of one size that segments pass through; who finds none waits until one is given back.</summary>
internal sealed class StagingBuffers : IDisposable
{
    private readonly int _size;
    private readonly int _count;
    private readonly ConcurrentStack<nint> _free = new();
    private readonly SemaphoreSlim _available;
    private HeapRegion? _memory;

    private StagingBuffers(int size, int count)
    {
        _size = size;
        _count = count;
        _available = new SemaphoreSlim(count);
    }

    /// <summary>The bytes that all of them take.</summary>
    public long Bytes => _count == 0 ? 0 : HeapRegion.RoomFor((long)_size * _count);

    /// <summary>Buffers for some of a plan's tensors; nothing is allocated yet.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="isStaged">For each tensor whether its segments pass through.</param>
    /// <param name="limit">The most bytes of all; but one there is always.</param>
    /// <param name="options">With the number of readers, of which each holds one.</param>
    public static StagingBuffers For(TransferPlan plan, bool[] isStaged, long limit, TransferOptions options)
    {
        long largest = 0, segments = 0;
        foreach (TransferSegment segment in plan.Ranges.SelectMany(static range => range.Segments))
        {
            if (!segment.IsGap && isStaged[segment.Tensor])
            {
                largest = Math.Max(largest, segment.Length);
                segments++;
            }
        }

        // A buffer may begin a part of an element late.
        int size = (int)((largest + (2 * HeapRegion.SmallAlignment) - 1) & -HeapRegion.SmallAlignment);
        long most = Math.Min(segments, Math.Max(options.MaxConnections, Transfer.Limits.ReaderLimits.Local.Max));
        return new StagingBuffers(size, (int)Math.Min(most, Math.Max(1, limit / size)));
    }

    public void Allocate()
    {
        if (_count == 0)
        {
            return;
        }

        _memory = HeapRegion.Allocate((long)_size * _count);
        for (int i = 0; i < _count; i++)
        {
            _free.Push(_memory.Address + ((nint)i * _size));
        }
    }

    /// <param name="length">The bytes to hold.</param>
    /// <param name="offset">How far behind the buffer's aligned start they begin.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<Memory<byte>> AcquireAsync(int length, int offset, CancellationToken cancellationToken)
    {
        await _available.WaitAsync(cancellationToken).ConfigureAwait(false);
        _free.TryPop(out nint buffer);
        return new NativeMemoryManager(buffer + offset, length).Memory;
    }

    public unsafe void GiveBack(Memory<byte> memory)
    {
        using MemoryHandle pinned = memory.Pin();
        nint start = _memory!.Address;
        _free.Push(start + (((nint)pinned.Pointer - start) / _size * _size));
        _available.Release();
    }

    public void Dispose()
    {
        _available.Dispose();
        _memory?.Dispose();
    }
}
