using System.Buffers;

namespace TypedWeights.Memory;

/// <summary>
/// Memory that somebody else owns, as <see cref="Memory{T}"/>, so that sockets and files write into it without another copy. The owner
/// keeps it alive until every writer has returned.
/// </summary>
internal unsafe class NativeMemoryManager(nint address, int length) : MemoryManager<byte>
{
    /// <summary>The first byte.</summary>
    public nint Address => address;

    /// <inheritdoc/>
    public override Span<byte> GetSpan() => new((void*)address, length);

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, length);
        return new MemoryHandle((byte*)address + elementIndex);
    }

    /// <inheritdoc/>
    public override void Unpin()
    {
        // Native memory does not move.
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // The memory is the owner's.
    }
}
