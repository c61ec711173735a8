using TypedWeights.Downloads;
using TypedWeights.Errors;
using TypedWeights.Files;
using TypedWeights.Tool.Output.Progress;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tool.Downloads;

/// <summary>Downloads the files of a set one after another, and gives them their names when all are whole: never half of a model.</summary>
/// <param name="set">The files.</param>
/// <param name="transfer">The command's.</param>
/// <param name="view">Where progress is shown.</param>
/// <param name="beforeNames">Is called before files get their names, and throws if they must not: a download can take hours.</param>
internal sealed class DownloadRun(DownloadSet set, TransferContext transfer, ProgressView view, Func<CancellationToken, Task> beforeNames)
    : IAsyncDisposable
{
    private readonly List<PartialFile> _partials = [];
    private long _before;

    private long Total => set.Files.Sum(file => file.Source.Length);

    /// <summary>Downloads what is missing.</summary>
    /// <param name="paths">Where the files go, in full and in the set's order.</param>
    /// <param name="cancellationToken">Ends the download; the next one continues from the finished parts.</param>
    /// <returns>The bytes that were downloaded.</returns>
    public async Task<long> RunAsync(IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        await OpenAsync(paths, cancellationToken);
        DiskSpace.ThrowUnlessRoom(paths[0], Total - _before);
        var figures = new TransferFigures("downloading", Total, _before);
        await view.RunAsync(figures, () => FetchAsync(figures, cancellationToken));
        await beforeNames(cancellationToken);
        foreach (PartialFile file in _partials)
        {
            // Checked before the first change: half of the new files and half of the old ones are not a model.
            file.Resume();
            file.ThrowUnlessPublishable();
            PauseUnlessLast(file);
        }

        if (set.IsSharded)
        {
            // The index of another model or version would combine its shards with those that already have their names.
            RemoveOldIndex(_partials[^1].Target);
        }

        foreach (PartialFile file in _partials)
        {
            file.Resume();
            file.Publish();
        }

        return Total - _before;
    }

    /// <summary>What a failed run leaves for the next one, in a sentence; null if nothing.</summary>
    public string? Left()
    {
        PartialFile[] left = [.. _partials.Where(file => file.CanResume)];
        if (left.Length == 0)
        {
            return null;
        }

        string where = Path.GetFileName(left[0].Path) + (left.Length == 1 ? "" : $" and {left.Length - 1} more");
        return $"{ByteText.Of(left.Sum(file => file.Finished))} of {ByteText.Of(Total)} are kept in {where}; run the same command again to resume.";
    }

    public async ValueTask DisposeAsync()
    {
        foreach (PartialFile file in _partials)
        {
            await file.DisposeAsync();
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

    // A file that is being written takes two handles, so all files but the last are open only while they are written. The last one, an index,
    // stays locked: every download of the same model must lock it first.
    private async Task OpenAsync(IReadOnlyList<string> paths, CancellationToken cancellationToken)
    {
        var figures = new TransferFigures("checking");
        await view.RunAsync(figures, async () =>
        {
            for (int n = 0; n < paths.Count; n++)
            {
                int i = n == 0 ? paths.Count - 1 : n - 1;
                PartialFile file = await PartialFile.OpenAsync(
                    paths[i], set.IdentityOf(i), bytes => figures.Report(figures.Done + bytes, Total), cancellationToken);
                _partials.Insert(Math.Max(0, n - 1), file);
                PauseUnlessLast(file);
                if (file.StartedOver is { } reason)
                {
                    view.Note($"{Path.GetFileName(file.Path)}: starting again, because {reason}.");
                }
            }
        });
        _before = _partials.Sum(static file => file.Finished);
        if (_before > 0)
        {
            view.Note($"resuming: {ByteText.Of(_before)} of {ByteText.Of(Total)} were downloaded before and are intact.");
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
                await set.SourceOfAsync(i, cancellationToken),
                set.IsRemote,
                file,
                transfer,
                now => figures.Report(before + now.Bytes, Total),
                cancellationToken);
            try
            {
                await set.Files[i].CheckAsync(file, cancellationToken);
            }
            catch (WeightsException)
            {
                // The file is whole but wrong: the next download cannot use it.
                file.Discard();
                throw;
            }

            PauseUnlessLast(file);
        }
    }

    private void PauseUnlessLast(PartialFile file)
    {
        if (file != _partials[^1])
        {
            file.Pause();
        }
    }
}
