using TorchSharp;
using TypedWeights.Errors;
using TypedWeights.Interop;
using TypedWeights.Saving;

namespace TypedWeights;

/// <summary>One tensor of a <see cref="WeightSet"/>.</summary>
public sealed class WeightEntry
{
    private readonly WeightSet _owner;
    private readonly Completion? _completion;
    private readonly DType _held;
    private torch.Tensor? _tensor;

    internal WeightEntry(WeightSet owner, string name, TensorInfo info, torch.Device device, DType held, Completion? completion)
    {
        _held = held;
        _owner = owner;
        _completion = completion;
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

    /// <summary>The tensor; the model or set owns it.</summary>
    /// <exception cref="ObjectDisposedException">The model or set has been disposed.</exception>
    /// <exception cref="InvalidOperationException">
    /// The tensor was handed over by <see cref="WeightSet.Detach"/>, or it was disposed or became a <c>Parameter</c> without
    /// <see cref="WeightSet.Detach"/>, or the load was begun and the tensor is not ready yet.
    /// </exception>
    public torch.Tensor Tensor => _tensor is { IsInvalid: false } tensor ? tensor : throw Gone();

    /// <summary>Whether the owner has the tensor, or will get it.</summary>
    internal bool IsPresent => _completion is { IsComplete: false } || Volatile.Read(ref _tensor) is not null;

    /// <summary>Waits until the tensor is ready: after <c>BeginLoadAsync</c>, which returns the model before its tensors are ready.</summary>
    /// <param name="cancellationToken">Ends the wait, not the load.</param>
    /// <exception cref="WeightsException">The load failed before the tensor was ready.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or that of the load.</exception>
    public Task WhenReadyAsync(CancellationToken cancellationToken = default) =>
        _owner.IsDisposed ? Task.FromException(_owner.Disposed()) : _completion?.Task.WaitAsync(cancellationToken) ?? Task.CompletedTask;

    /// <summary>Sets the tensor, which is ready.</summary>
    internal void Fulfil(torch.Tensor tensor)
    {
        Volatile.Write(ref _tensor, tensor);
        _completion?.Complete();
    }

    /// <summary>Ends the waits for a tensor that is not ready.</summary>
    internal void Fail(Exception failure) => _completion?.Fail(failure);

    internal torch.Tensor? Take() => Interlocked.Exchange(ref _tensor, null);

    /// <summary>Hands the tensor over to the caller.</summary>
    /// <exception cref="InvalidOperationException">The owner has no tensor.</exception>
    internal torch.Tensor Detach()
    {
        // An empty tensor stays, so that the next call throws the same error.
        _ = Tensor;
        return Take() ?? throw Gone();
    }

    /// <summary>The tensor as it is saved.</summary>
    internal SavedTensor ToSaved() => SavedTensor.OfLoaded(Name, DType, Shape, Tensor);

    internal InvalidOperationException Gone() => _owner.IsDisposed
        ? new ObjectDisposedException(_owner.Title, $"The weights of {_owner.Title} have been disposed, and {Printable.Name(Name)} with them.")
        : _completion switch
        {
            { Failure: { } failure } => new InvalidOperationException(
                $"The tensor {Printable.Name(Name)} of {_owner.Title} is not available, because the load failed: {failure.Message}", failure),
            { IsComplete: false } => new InvalidOperationException(
                $"The tensor {Printable.Name(Name)} of {_owner.Title} is not ready yet; "
                    + "await WhenReadyAsync of its group or of the model before you read it."),
            _ when Volatile.Read(ref _tensor) is not null => new InvalidOperationException(
                $"The tensor {Printable.Name(Name)} of {_owner.Title} is empty: it was disposed, or TorchSharp took its handle, as "
                    + "new Parameter(tensor) does. To keep it here, pass on an alias (tensor.alias()); "
                    + $"to hand it over, take it with Detach({Printable.Name(Name)}) first."),
            _ => new InvalidOperationException($"The tensor {Printable.Name(Name)} of {_owner.Title} was handed over by Detach."),
        };
}

/// <summary>The end of something in a begun load: a tensor is ready, or the load failed before.</summary>
internal sealed class Completion
{
    // Users wait for it: their code must not run on a reader's thread.
    private readonly TaskCompletionSource _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Task => _source.Task;

    public bool IsComplete => Task.IsCompletedSuccessfully;

    /// <summary>Why the load failed; null if it did not.</summary>
    public Exception? Failure => Task.Exception?.InnerException;

    public void Complete() => _source.TrySetResult();

    public void Fail(Exception failure)
    {
        if (_source.TrySetException(failure))
        {
            // Not every tensor is waited for: without this the exception would count as unobserved.
            _ = Task.Exception;
        }
    }
}
