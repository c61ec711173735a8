using TypedWeights.Memory;

namespace TypedWeights.Tests.Simulation;

/// <summary>A GPU: memory of a size, a primary context, a default stream, and an allocator that gives freed memory out again at once.</summary>
internal sealed class SimulatedDevice : IDisposable
{
    public const byte Poison = 0xA5;

    private const long Grain = 512;

    private readonly HeapRegion _memory;
    // The last freed at the end: it is the first to be given out again.
    private readonly List<(nint Address, long Length)> _free = [];
    private readonly List<(nint Address, long Length)> _live = [];
    private long _fresh;

    public SimulatedDevice(int index, long memory, int seed)
    {
        Index = index;
        _memory = HeapRegion.Allocate(memory);
        DefaultStream = new SimulatedStream(this, -1 - index, seed);
    }

    public int Index { get; }

    /// <summary>The handle of its primary context.</summary>
    public nint Context => 0x1000 + Index;

    /// <summary>How often the context was retained and not yet released.</summary>
    public int Retained { get; set; }

    /// <summary>An illegal access has ended its context: every call gives that error from now on.</summary>
    public bool IsLost { get; set; }

    public SimulatedStream DefaultStream { get; }

    public long Total => _memory.Length;

    /// <summary>What the driver calls free: what the allocator keeps of freed memory is not.</summary>
    public long Free => _memory.Length - _fresh;

    public int LiveBlocks => _live.Count;

    public nint TryAllocate(long bytes)
    {
        long length = (bytes + Grain - 1) / Grain * Grain;
        for (int i = _free.Count - 1; i >= 0; i--)
        {
            (nint address, long there) = _free[i];
            if (there >= length)
            {
                _free.RemoveAt(i);
                if (there > length)
                {
                    _free.Insert(i, (address + (nint)length, there - length));
                }

                _live.Add((address, bytes));
                return address;
            }
        }

        if (_fresh + length > _memory.Length)
        {
            return 0;
        }

        nint fresh = _memory.Address + (nint)_fresh;
        _fresh += length;
        _live.Add((fresh, bytes));
        return fresh;
    }

    public void GiveBack(nint address)
    {
        int index = _live.FindIndex(block => block.Address == address);
        long length = (_live[index].Length + Grain - 1) / Grain * Grain;
        _live.RemoveAt(index);
        for (int i = 0; i < _free.Count;)
        {
            (nint other, long there) = _free[i];
            if (other + (nint)there == address || address + (nint)length == other)
            {
                address = Math.Min(address, other);
                length += there;
                _free.RemoveAt(i);
                i = 0;
                continue;
            }

            i++;
        }

        _free.Add((address, length));
    }

    /// <summary>Whether bytes lie within one allocation that is alive.</summary>
    public bool IsLive(nint address, long length) =>
        _live.Exists(block => address >= block.Address && address + (nint)length <= block.Address + (nint)block.Length);

    public void Dispose()
    {
        // Handles that a test dropped without disposing: their memory may not become another machine's.
        for (int i = 0; i < 5 && _live.Count > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        if (_live.Count == 0)
        {
            _memory.Dispose();
        }
    }
}
