using TorchSharp;
using TypedWeights.Errors;
using TypedWeights.Interop;
using TypedWeights.Saving;
using TypedWeights.Weights;

namespace TypedWeights;

/// <summary>One tensor of a <see cref="WeightSet"/>, with the checks that a use after the end of its life needs.</summary>
public sealed class WeightEntry
{
    private readonly WeightSet _owner;
    private readonly Arrival? _arrival;
    private readonly DType _held;
    private torch.Tensor? _tensor;

    internal WeightEntry(WeightSet owner, string name, TensorInfo info, torch.Device device, DType held, torch.Tensor tensor)
        : this(owner, name, info, device, held, arrival: null) => _tensor = tensor;

    /// <summary>Makes the entry of a tensor that is yet to come.</summary>
    internal WeightEntry(WeightSet owner, string name, TensorInfo info, torch.Device device, DType held, Arrival? arrival)
    {
        _held = held;
        _owner = owner;
        _arrival = arrival;
        Name = name;
        DType = info.DType;
        Shape = info.Shape;
        Device = device;
    }

    /// <summary>The name in the checkpoint.</summary>
    public string Name { get; }

    /// <summary>The dtype in the checkpoint.</summary>
    public DType DType { get; }

    /// <summary>
    /// The tensor's own dtype: libtorch's for <see cref="DType"/>, or the one that <see cref="CommonLoadOptions.DType"/> had it converted to.
    /// </summary>
    public torch.ScalarType TensorDType => TorchLayout.Of(_held, Shape).ScalarType;

    /// <summary>The shape in the checkpoint; the tensor's own differs where torch packs elements or holds them as bytes.</summary>
    public TensorShape Shape { get; }

    /// <summary>The device that the load puts the tensor on.</summary>
    public torch.Device Device { get; }

    /// <summary>The tensor; it stays the owner's.</summary>
    /// <exception cref="ObjectDisposedException">The model or set has been disposed.</exception>
    /// <exception cref="InvalidOperationException">
    /// The tensor was handed over by <see cref="WeightSet.Detach"/>, or it was disposed or made the handle of a <c>Parameter</c> behind the
    /// owner's back, or the load was begun and has not brought it yet.
    /// </exception>
    public torch.Tensor Tensor => _tensor is { IsInvalid: false } tensor ? tensor : throw Gone();

    /// <summary>Whether the tensor is the owner's, or will be.</summary>
    internal bool IsPresent => _arrival is { HasCome: false } || Volatile.Read(ref _tensor) is not null;

    /// <summary>Waits until the tensor can be read: after <c>BeginLoadAsync</c>, whose model is there before its tensors.</summary>
    /// <param name="cancellationToken">Ends the wait, not the load.</param>
    /// <exception cref="WeightsException">The load failed before it had come.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or that of the load.</exception>
    public Task WhenReadyAsync(CancellationToken cancellationToken = default) =>
        _owner.IsDisposed ? Task.FromException(_owner.Disposed()) : _arrival?.Task.WaitAsync(cancellationToken) ?? Task.CompletedTask;

    internal void Come(torch.Tensor tensor) => Volatile.Write(ref _tensor, tensor);

    internal torch.Tensor? Take() => Interlocked.Exchange(ref _tensor, null);

    /// <summary>The tensor, for a caller who will own it from now on.</summary>
    /// <exception cref="InvalidOperationException">There is none to hand over.</exception>
    internal torch.Tensor Detach()
    {
        // One that is empty stays: asked for again it still says what became of it.
        _ = Tensor;
        return Take() ?? throw Gone();
    }

    /// <summary>The tensor as a file will hold it.</summary>
    internal SavedTensor ToSaved() => SavedTensor.OfLoaded(Name, DType, Shape, Tensor);

    internal InvalidOperationException Gone() => _owner.IsDisposed
        ? new ObjectDisposedException(_owner.Title, $"The weights of {_owner.Title} have been disposed; {Printable.Name(Name)} is gone with them.")
        : _arrival switch
        {
            { Failure: { } failure } => new InvalidOperationException(
                $"The tensor {Printable.Name(Name)} of {_owner.Title} never came, as the load failed: {failure.Message}", failure),
            { HasCome: false } => new InvalidOperationException(
                $"The tensor {Printable.Name(Name)} of {_owner.Title} has not come yet; "
                    + "await WhenReadyAsync of its group, or of the model, before it is read."),
            _ when Volatile.Read(ref _tensor) is not null => new InvalidOperationException(
                $"The tensor {Printable.Name(Name)} of {_owner.Title} is empty: it was disposed, or TorchSharp took its handle, as "
                    + "new Parameter(tensor) does. To keep it here, give away an alias (tensor.alias()); "
                    + $"to give it away, take it with Detach({Printable.Name(Name)}) first."),
            _ => new InvalidOperationException($"The tensor {Printable.Name(Name)} of {_owner.Title} was handed over by Detach."),
        };
}
