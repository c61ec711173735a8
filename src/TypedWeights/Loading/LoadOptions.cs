using TorchSharp;

namespace TypedWeights;

/// <summary>How one load is done. The defaults load everything onto the CPU and accept nothing that differs from the manifest.</summary>
public sealed record LoadOptions
{
    /// <summary>A path or URI that stands in for the one in the attribute.</summary>
    /// <value>null: the attribute's.</value>
    public string? Source { get; init; }

    /// <summary>The device that the tensors are on when the load returns.</summary>
    /// <value>null: the CPU.</value>
    public torch.Device? Device { get; init; }

    /// <summary>What memory the tensors lie in. It decides when memory is given back: see each value.</summary>
    /// <value><see cref="TensorStorage.Arena"/>: all of it goes when the last tensor goes.</value>
    public TensorStorage Storage { get; init; } = TensorStorage.Arena;

    /// <summary>What becomes of tensors that the checkpoint holds and the class does not know.</summary>
    /// <value><see cref="UnexpectedTensors.Error"/></value>
    public UnexpectedTensors Unexpected { get; init; } = UnexpectedTensors.Error;
}
