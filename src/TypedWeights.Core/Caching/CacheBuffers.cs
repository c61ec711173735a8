using TypedWeights.Memory;

namespace TypedWeights.Caching;

/// <summary>
/// The large buffers of one load's caching: memory outside the managed heap, in huge pages, which grows as the disk falls behind and is
/// given back as a whole.
/// </summary>
internal sealed class CacheBuffers
{
    /// <summary>The bytes of each.</summary>
    public const int Size = 1 << 20;

    private const int InSlab = 16;

    private readonly Lock _lock = new();
    private readonly Stack<Memory<byte>> _free = [];
    private readonly List<HeapRegion> _slabs = [];

    /// <summary>Gives a buffer to one user, until it is given back.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory for more.</exception>
    public Memory<byte> Rent()
    {
        lock (_lock)
        {
            if (_free.Count == 0)
            {
                // What of it is never used takes no memory.
                HeapRegion slab = HeapRegion.Allocate((long)Size * InSlab);
                _slabs.Add(slab);
                for (int i = InSlab - 1; i >= 0; i--)
                {
                    _free.Push(new NativeMemoryManager(slab.Address + ((nint)i * Size), Size).Memory);
                }
            }

            return _free.Pop();
        }
    }

    public void GiveBack(Memory<byte> buffer)
    {
        lock (_lock)
        {
            _free.Push(buffer);
        }
    }

    /// <summary>Gives all memory back: for once, when nobody has a buffer any more.</summary>
    public void Free() => _slabs.ForEach(static slab => slab.Dispose());
}
