using TorchSharp;

namespace TypedWeights.Binding;

/// <summary>One tensor of a <see cref="WeightSet"/>, with the checks that a use after the end of its life needs.</summary>
public sealed class WeightEntry
{
    private readonly WeightSet _owner;
    private torch.Tensor? _tensor;

    internal WeightEntry(WeightSet owner, string name, DType dtype, TensorShape shape, torch.Tensor tensor)
    {
        _owner = owner;
        Name = name;
        DType = dtype;
        Shape = shape;
        TensorDType = tensor.dtype;
        _tensor = tensor;
    }

    /// <summary>The name in the checkpoint.</summary>
    public string Name { get; }

    /// <summary>The dtype in the checkpoint.</summary>
    public DType DType { get; }

    /// <summary>
    /// The tensor's own dtype: libtorch's for <see cref="DType"/>, or the one that <see cref="LoadOptions.DType"/> had it converted to.
    /// </summary>
    public torch.ScalarType TensorDType { get; }

    /// <summary>The shape in the checkpoint; the tensor's own differs where torch packs elements or holds them as bytes.</summary>
    public TensorShape Shape { get; }

    /// <summary>The tensor; it stays the owner's.</summary>
    /// <exception cref="ObjectDisposedException">The model or set has been disposed.</exception>
    /// <exception cref="InvalidOperationException">The tensor was handed over by <see cref="WeightSet.Detach"/>.</exception>
    public torch.Tensor Tensor => _tensor ?? throw Gone();

    internal bool IsPresent => Volatile.Read(ref _tensor) is not null;

    internal torch.Tensor? Take() => Interlocked.Exchange(ref _tensor, null);

    internal InvalidOperationException Gone() => _owner.IsDisposed
        ? new ObjectDisposedException(_owner.Title, $"The weights of {_owner.Title} have been disposed; \"{Name}\" is gone with them.")
        : new InvalidOperationException($"The tensor \"{Name}\" of {_owner.Title} was handed over by Detach.");
}
