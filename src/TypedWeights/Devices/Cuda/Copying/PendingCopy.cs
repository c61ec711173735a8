using TypedWeights.Interop.Cuda.Handles;

namespace TypedWeights.Devices.Cuda.Copying;

/// <summary>Copies that are under way, or a place in their order that somebody waits for.</summary>
/// <param name="Mark">Comes when they are done; null for the place alone.</param>
/// <param name="Tensor">The first tensor that they are for.</param>
/// <param name="OnCopied">Takes the buffer back.</param>
/// <param name="Flushed">Who waits for the place.</param>
internal sealed record PendingCopy(CudaEvent? Mark, int Tensor, Action OnCopied, TaskCompletionSource? Flushed)
{
    /// <summary>The place has been reached, with or without a failure.</summary>
    public void End(Func<Exception>? failure)
    {
        if (failure is null)
        {
            Flushed?.TrySetResult();
        }
        else
        {
            Flushed?.TrySetException(failure());

            // Who waited may have been cancelled since, and then nobody looks.
            _ = Flushed?.Task.Exception;
        }
    }
}
