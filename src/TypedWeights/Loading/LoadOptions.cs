using TorchSharp;

namespace TypedWeights;

/// <summary>How one load is done. The defaults load everything onto the CPU and accept nothing that differs from the manifest.</summary>
public sealed record LoadOptions
{
    /// <summary>A path or URI that stands in for the one in the attribute.</summary>
    /// <value>null: the attribute's.</value>
    public string? Source { get; init; }

    /// <summary>
    /// The device that the tensors are on when the load returns: <c>cpu</c>, or <c>cuda:N</c>, whose bytes go there as they come, through a
    /// small ring of page-locked memory (<see cref="TransferOptions.StagingSize"/>). <c>cuda</c> alone is <c>cuda:0</c>.
    /// </summary>
    /// <value>null: the CPU.</value>
    public torch.Device? Device { get; init; }

    /// <summary>
    /// What memory the tensors lie in. It decides when memory is given back: see each value. <see cref="TensorStorage.Mapped"/> is for the
    /// CPU alone.
    /// </summary>
    /// <value><see cref="TensorStorage.Arena"/>: all of it goes when the last tensor goes.</value>
    public TensorStorage Storage { get; init; } = TensorStorage.Arena;

    /// <summary>What becomes of tensors that the checkpoint holds and the class does not know.</summary>
    /// <value><see cref="UnexpectedTensors.Error"/></value>
    public UnexpectedTensors Unexpected { get; init; } = UnexpectedTensors.Error;

    /// <summary>
    /// Which tensors an untyped load takes, by name; the others are not fetched. A tied name that it takes brings its tensor, under that
    /// name. A filter that takes nothing is an error.
    /// </summary>
    /// <value>null: all of them. Typed loads refuse a filter: a class has all its tensors.</value>
    public Func<string, bool>? Filter { get; init; }

    /// <summary>
    /// The most host memory that the load may take in all, tensors and buffers, in bytes; one that cannot do with it is refused with
    /// <see cref="MemoryLimitException"/> before anything is allocated. Tensors that are mapped, or on a GPU, take none.
    /// </summary>
    /// <value>null: no limit but the system's. <see cref="TransferOptions.BufferLimit"/> bounds the buffers alone.</value>
    public long? MemoryLimit { get; init; }
}
