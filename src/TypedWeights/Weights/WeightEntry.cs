using TorchSharp;
using TypedWeights.Errors;
using TypedWeights.Interop;
using TypedWeights.Saving;

namespace TypedWeights;

/// <summary>One tensor of a <see cref="WeightSet"/>.</summary>
public sealed class WeightEntry
{
    private readonly WeightSet _owner;
    private readonly Arrival? _arrival;
    private readonly DType _held;
    private torch.Tensor? _tensor;

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
    /// owner's back, or the load was begun and the tensor is not ready yet.
    /// </exception>
    public torch.Tensor Tensor => _tensor is { IsInvalid: false } tensor ? tensor : throw Gone();

    /// <summary>Whether the tensor is the owner's, or will be.</summary>
    internal bool IsPresent => _arrival is { IsComplete: false } || Volatile.Read(ref _tensor) is not null;

    /// <summary>Waits until the tensor is ready: after <c>BeginLoadAsync</c>, which returns the model before its tensors are ready.</summary>
    /// <param name="cancellationToken">Ends the wait, not the load.</param>
    /// <exception cref="WeightsException">The load failed before the tensor was ready.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or that of the load.</exception>
    public Task WhenReadyAsync(CancellationToken cancellationToken = default) =>
        _owner.IsDisposed ? Task.FromException(_owner.Disposed()) : _arrival?.Task.WaitAsync(cancellationToken) ?? Task.CompletedTask;

    /// <summary>Takes the tensor, which is ready.</summary>
    internal void Fulfil(torch.Tensor tensor)
    {
        Volatile.Write(ref _tensor, tensor);
        _arrival?.Complete();
    }

    /// <summary>Ends the waits for a tensor that is not ready.</summary>
    internal void Fail(Exception failure) => _arrival?.Fail(failure);

    internal torch.Tensor? Take() => Interlocked.Exchange(ref _tensor, null);

    /// <summary>Hands the tensor over to the caller.</summary>
    /// <exception cref="InvalidOperationException">The owner has no tensor.</exception>
    internal torch.Tensor Detach()
    {
        // An empty tensor stays, so that the next call throws the same error.
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
            { IsComplete: false } => new InvalidOperationException(
                $"The tensor {Printable.Name(Name)} of {_owner.Title} has not come yet; "
                    + "await WhenReadyAsync of its group, or of the model, before it is read."),
            _ when Volatile.Read(ref _tensor) is not null => new InvalidOperationException(
                $"The tensor {Printable.Name(Name)} of {_owner.Title} is empty: it was disposed, or TorchSharp took its handle, as "
                    + "new Parameter(tensor) does. To keep it here, give away an alias (tensor.alias()); "
                    + $"to give it away, take it with Detach({Printable.Name(Name)}) first."),
            _ => new InvalidOperationException($"The tensor {Printable.Name(Name)} of {_owner.Title} was handed over by Detach."),
        };
}

/// <summary>The end of something in a begun load: a tensor is ready, or the load failed before.</summary>
internal sealed class Arrival
{
    // Users wait for it: their code must not run on a reader's thread.
    private readonly TaskCompletionSource _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Task => _source.Task;

    public bool IsComplete => Task.IsCompletedSuccessfully;

    /// <summary>Why the load failed; null as long as it has not.</summary>
    public Exception? Failure => Task.Exception?.InnerException;

    public void Complete() => _source.TrySetResult();

    public void Fail(Exception failure)
    {
        if (_source.TrySetException(failure))
        {
            // Nobody has to wait for every tensor: the exception counts as observed.
            _ = Task.Exception;
        }
    }
}
