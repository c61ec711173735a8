using TypedWeights.Checkpoints;
using TypedWeights.Devices;
using TypedWeights.Sources;

namespace TypedWeights.Loading;

/// <summary>
/// A load that requests payload before it has read a header, because the manifest states where the bytes should be. The headers are read at the
/// same time, and no tensor is visible before they have been checked. This saves a round trip per file.
/// </summary>
/// <param name="session">The load.</param>
/// <param name="location">Where the files are.</param>
/// <param name="expected">The checkpoint that the manifest describes; opened without a request.</param>
/// <param name="sink">Where the payload goes.</param>
internal sealed class AheadLoad(LoadSession session, IWeightLocation location, Checkpoint expected, ITensorSink sink)
{
    private readonly EarlyLoad? _early = session.Request.Early;

    public async Task<WeightSet> RunAsync(CancellationToken cancellationToken)
    {
        using var drop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task transfer = session.TransferAsync(
            expected, session.Request.Select(expected), sink, location.IsRemote, allocated: null, drop.Token);
        try
        {
            IWeightLocation withHeaders = ExpectedCheckpoint.WithHeaders(location, expected);
            Checkpoint live = await session.OpenAsync(withHeaders, cancellationToken).ConfigureAwait(false);
            await using (live.ConfigureAwait(false))
            {
                TensorSelection selection = session.Request.Select(live);
                if (await TryUseAsync(live, selection, transfer).ConfigureAwait(false))
                {
                    return session.Collect(live, selection, sink);
                }

                // The layout differs, or a file was replaced in between: the payload is dropped and its memory is freed before the load starts
                // again.
                await EndAsync(transfer, drop).ConfigureAwait(false);
                _early?.Forget();
                await sink.DisposeAsync().ConfigureAwait(false);
                ITensorSink another = session.CreateSink();
                await using (another.ConfigureAwait(false))
                {
                    return await session.LoadAsync(live, selection, another, location.IsRemote, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            // No reader may write into the sink's memory after this method.
            await EndAsync(transfer, drop).ConfigureAwait(false);
        }
    }

    // Whether the payload comes from the files whose headers were checked, and is complete.
    private async ValueTask<bool> TryUseAsync(Checkpoint live, TensorSelection selection, Task transfer)
    {
        if (!ExpectedCheckpoint.HasLayout(live, expected))
        {
            return false;
        }

        if (_early is null)
        {
            await transfer.ConfigureAwait(false);
            return ExpectedCheckpoint.HasValidators(live, expected);
        }

        if (transfer.IsCompleted)
        {
            // It may have failed; then the set is not returned.
            await transfer.ConfigureAwait(false);
        }

        // A ready tensor may be read if it comes from the files whose headers were checked.
        bool isReturned = _early.TryReturn(
            () => session.Promise(live, selection, sink),
            tensor => selection.Tensors[tensor] is var (file, info)
                && (info.ByteLength == 0 || live.Files[file].Source.Validator == expected.Files[file].Source.Validator));
        if (isReturned)
        {
            await transfer.ConfigureAwait(false);
        }

        return isReturned;
    }

    private static async Task EndAsync(Task transfer, CancellationTokenSource drop)
    {
        await drop.CancelAsync().ConfigureAwait(false);
        await transfer.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
