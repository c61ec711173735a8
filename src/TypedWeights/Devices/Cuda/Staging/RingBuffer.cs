using System.Buffers;
using TypedWeights.Interop.Cuda.Handles;

namespace TypedWeights.Devices.Cuda.Staging;

/// <summary>One buffer of the ring, as memory that sockets and files write into.</summary>
internal sealed unsafe class RingBuffer(PinnedMemory pinned, int length) : MemoryManager<byte>
{
    /// <summary>The first byte.</summary>
    public nint Address { get; } = pinned.Address;

    public override Span<byte> GetSpan() => new((void*)Address, length);

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, length);
        return new MemoryHandle((byte*)Address + elementIndex);
    }

    public override void Unpin()
    {
        // It never moves.
    }

    /// <summary>Gives the memory back to the system.</summary>
    public void Free() => pinned.Dispose();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Free();
        }
    }
}
