namespace TypedWeights.Weights;

/// <summary>The moment at which one tensor of a begun load comes, or is known never to come.</summary>
internal sealed class Arrival
{
    // Who waits is the user: their code must not run on a reader's thread.
    private readonly TaskCompletionSource _come = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Task => _come.Task;

    public bool HasCome => Task.IsCompletedSuccessfully;

    /// <summary>Why it never comes; null while it still may.</summary>
    public Exception? Failure => Task.Exception?.InnerException;

    public void Come() => _come.TrySetResult();

    public void Fail(Exception failure)
    {
        if (_come.TrySetException(failure))
        {
            // Nobody has to wait for every tensor: a failure that nobody looked at is no unobserved one.
            _ = Task.Exception;
        }
    }
}
