namespace TypedWeights.Transfer.Scheduling;

/// <summary>Follows the tensors of one transfer as they become complete. The transfer disposes it before its task ends.</summary>
internal interface ITensorObserver : IAsyncDisposable
{
    /// <summary>
    /// Is called once for each tensor, from any thread, when all its bytes have been committed to the sink, or none are read. Its exception
    /// fails the transfer.
    /// </summary>
    void OnComplete(int tensor);

    /// <summary>Returns when nothing is left to do, after every tensor is complete. Its exception fails the transfer.</summary>
    ValueTask CompleteAsync(CancellationToken cancellationToken);
}
