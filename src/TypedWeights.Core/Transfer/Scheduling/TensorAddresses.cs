using TypedWeights.Memory;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>The address of each tensor of a plan in its final memory.</summary>
/// <param name="count">The number of tensors.</param>
internal readonly struct TensorAddresses(int count)
{
    private readonly nint[] _first = new nint[count];

    /// <summary>The address of a tensor's first byte.</summary>
    public nint this[int tensor]
    {
        get => _first[tensor];
        set => _first[tensor] = value;
    }

    /// <summary>The memory of a segment.</summary>
    public Memory<byte> Of(TransferSegment segment) => Of(segment.Tensor, segment.Offset, checked((int)segment.Length));

    /// <summary>The memory of some bytes of a tensor.</summary>
    public Memory<byte> Of(int tensor, long offset, int length) => new NativeMemoryManager(_first[tensor] + (nint)offset, length).Memory;

    /// <summary>Whether a segment ends where another begins.</summary>
    public bool AreContinued(TransferSegment segment, TransferSegment by) =>
        _first[segment.Tensor] + (nint)(segment.Offset + segment.Length) == _first[by.Tensor] + (nint)by.Offset;
}
