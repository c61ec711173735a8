using TypedWeights.Downloads;
using TypedWeights.Errors;
using TypedWeights.Files;
using TypedWeights.Tool.Output.Progress;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tool.Downloads;

/// <summary>Fetches the files of a set one after another, and gives them their names when all are whole: never half of a model.</summary>
internal sealed class DownloadRun : IAsyncDisposable
{
    // A file that is being written takes two handles. Of a larger set all but the last are open when their turn has come.
    private const int MostOpen = 32;

    private readonly DownloadSet _set;
    private readonly TransferContext _transfer;
    private readonly ProgressView _view;
    private readonly Func<CancellationToken, Task> _beforeNames;
    private readonly List<PartialFile> _partials = [];
    private long _before;

    /// <param name="set">What there is to fetch.</param>
    /// <param name="transfer">The command's.</param>
    /// <param name="view">Where progress is shown.</param>
    /// <param name="beforeNames">Is asked once more, before files get their names, whether they may: a download can take hours.</param>
    public DownloadRun(DownloadSet set, TransferContext transfer, ProgressView view, Func<CancellationToken, Task> beforeNames)
    {
        _beforeNames = beforeNames;
        _set = set;
        _transfer = transfer;
        _view = view;
    }

    /// <summary>The bytes of all files.</summary>
    private long Total => _set.Files.Sum(file => file.Source.Length);

    private bool IsLarge => _set.Files.Count > MostOpen;

    private long Finished => _partials.Sum(file => file.Finished);

    /// <summary>Fetches what is missing.</summary>
    /// <param name="paths">Where the files go, in full and in the set's order.</param>
    /// <param name="cancellationToken">Ends it; what is finished stays for the next time.</param>
    /// <returns>The bytes that were fetched.</returns>
    public async Task<long> RunAsync(IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        await OpenAsync(paths, cancellationToken).ConfigureAwait(false);
        DiskSpace.ThrowUnlessRoom(paths[0], Total - _before);
        var figures = new TransferFigures("downloading", Total, _before);
        await _view.RunAsync(figures, () => FetchAsync(figures, cancellationToken)).ConfigureAwait(false);
        await _beforeNames(cancellationToken).ConfigureAwait(false);
        foreach (PartialFile file in _partials)
        {
            // Before the first change: half of the new files and half of the old ones are no model.
            file.Resume();
            file.ThrowUnlessPublishable();
            PauseUnlessLast(file);
        }

        if (_set.IsSharded)
        {
            // The index of another model, or of another version, would make one of its shards and of those that are there by now.
            RemoveOldIndex(_partials[^1].Target);
        }

        foreach (PartialFile file in _partials)
        {
            file.Resume();
            file.Publish();
        }

        return Total - _before;
    }

    /// <summary>What a run that did not end well leaves, in a sentence; null for nothing.</summary>
    public string? Left()
    {
        PartialFile[] left = [.. _partials.Where(file => file.CanResume)];
        if (left.Length == 0)
        {
            return null;
        }

        string where = Path.GetFileName(left[0].Path) + (left.Length == 1 ? "" : $" and {left.Length - 1} more");
        return $"{ByteText.Of(left.Sum(file => file.Finished))} of {ByteText.Of(Total)} stay in {where}; the same command goes on from there.";
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PartialFile file in _partials)
        {
            await file.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static void RemoveOldIndex(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, path);
        }
    }

    // All are opened, and so locked, before the first byte is asked for. Of a large set only the last one stays locked, an index, which every
    // download of the same model has to lock first.
    private async Task OpenAsync(IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        var figures = new TransferFigures("checking");
        await _view.RunAsync(
            figures,
            async () =>
            {
                var opened = new PartialFile?[paths.Count];
                for (int n = 0; n < paths.Count; n++)
                {
                    int i = n == 0 ? paths.Count - 1 : n - 1;
                    PartialFile file = await PartialFile.OpenAsync(
                        paths[i], _set.IdentityOf(i), bytes => figures.Report(figures.Done + bytes, Total), cancellationToken).ConfigureAwait(false);
                    _partials.Add(file);
                    opened[i] = file;
                    if (n > 0 && IsLarge)
                    {
                        file.Pause();
                    }

                    if (file.StartedOver is { } reason)
                    {
                        _view.Note($"{Path.GetFileName(file.Path)}: starting over, as {reason}.");
                    }
                }

                _partials.Clear();
                _partials.AddRange(opened!);
            }).ConfigureAwait(false);
        _before = Finished;
        if (_before > 0)
        {
            _view.Note($"going on: {ByteText.Of(_before)} of {ByteText.Of(Total)} are there and sound.");
        }
    }

    private async Task FetchAsync(TransferFigures figures, CancellationToken cancellationToken)
    {
        for (int i = 0; i < _partials.Count; i++)
        {
            PartialFile file = _partials[i];
            long before = figures.Done;
            file.Resume();
            await FileDownload.RunAsync(
                await _set.SourceOfAsync(i, cancellationToken).ConfigureAwait(false),
                _set.IsRemote,
                file,
                _transfer,
                now => figures.Report(before + now.Bytes, Total),
                cancellationToken).ConfigureAwait(false);
            try
            {
                await _set.Files[i].CheckAsync(file, cancellationToken).ConfigureAwait(false);
            }
            catch (WeightsException)
            {
                // Whole, and not what it should be: of no use to a next time.
                file.Discard();
                throw;
            }

            PauseUnlessLast(file);
        }
    }

    private void PauseUnlessLast(PartialFile file)
    {
        if (IsLarge && file != _partials[^1])
        {
            file.Pause();
        }
    }
}
