using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Caching;

/// <summary>
/// Copies of remote files on a disk of this machine. One loader has one; several, and several processes, may have the same folder: the
/// locks on the files say who writes and what is in use.
/// </summary>
internal sealed class LocalCache : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Task<PartialCopy?>> _open = new(StringComparer.Ordinal);
    private readonly HashSet<Task> _running = [];

    public LocalCache(string folder, LocalCacheOptions options)
    {
        options.Validate();
        Folder = new CacheFolder(folder, options.TrustFolder);
        Options = options;
        Room = new CacheSpace(Folder, options.SizeLimit);
    }

    public CacheFolder Folder { get; }

    public LocalCacheOptions Options { get; }

    public CacheSpace Room { get; }

    /// <summary>Is told of what people should know: the source, a sentence, and whether something is wrong.</summary>
    public Action<string, string, bool>? Noted { get; set; }

    /// <summary>Begins a load.</summary>
    /// <param name="mode">What was asked for; null for what the cache's options say.</param>
    /// <param name="display">The checkpoint as it may be shown.</param>
    /// <param name="checksAll">Whether the copies are checked before they are used, as their bytes will not pass by.</param>
    /// <param name="isLocal">Whether it is of files of this machine, which are not cached.</param>
    /// <returns>null where the load does without the cache.</returns>
    /// <exception cref="WeightSourceException">It may not ask the source, and the folder is not trusted.</exception>
    public CacheRun? Begin(CacheMode? mode, string display, bool checksAll, bool isLocal = false)
    {
        CacheMode chosen = mode ?? Options.Mode;
        if (chosen == CacheMode.Off)
        {
            return null;
        }

        if (isLocal || Folder.Distrust() is not { } reason)
        {
            return new CacheRun(this, chosen, display, checksAll);
        }

        string advice = $"the cache {Folder.Path} is not trusted, as {reason}: whoever can change it decides what is loaded. "
            + "Take the right from them, use a folder of your own, or say that it is trusted "
            + "(LocalCacheOptions.TrustFolder, TYPEDWEIGHTS_CACHE_TRUST=1)";
        if (chosen == CacheMode.Offline)
        {
            throw new WeightSourceException(display, $"this load may not ask the source (CacheMode.Offline), and {advice}.");
        }

        Noted?.Invoke(display, $"loading without the cache: {advice}.", true);
        return null;
    }

    /// <summary>Opens the partial copy of a version for a load, or gives the one that another load of this process has open.</summary>
    /// <param name="identity">The version.</param>
    /// <param name="cancellationToken">Ends the reading of its journal; another load that waits for the copy begins to read by itself.</param>
    /// <returns>null where the caller is to look for a whole one again: it may have appeared meanwhile.</returns>
    /// <exception cref="WeightsException">Another process has it, or it cannot be written.</exception>
    public async Task<PartialCopy?> JoinAsync(SourceIdentity identity, CancellationToken cancellationToken)
    {
        string key = CacheKey.Of(identity);
        while (true)
        {
            Task<PartialCopy?> opening;
            lock (_lock)
            {
                if (!_open.TryGetValue(key, out opening!))
                {
                    _open[key] = opening = Task.Run(() => OpenAsync(key, identity, cancellationToken), CancellationToken.None);
                }
            }

            PartialCopy? copy;
            try
            {
                copy = await opening.ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                Forget(key, opening);
                continue;
            }
            catch
            {
                Forget(key, opening);
                throw;
            }

            lock (_lock)
            {
                if (copy is null)
                {
                    Forget(key, opening);
                    return null;
                }

                // Else it has been closed meanwhile, by the last load that had it.
                if (_open.TryGetValue(key, out Task<PartialCopy?>? now) && now == opening)
                {
                    copy.Users++;
                    return copy;
                }
            }
        }
    }

    /// <summary>A load is done with a copy. The last one closes it, and gives it its name where it is whole.</summary>
    /// <exception cref="WeightsException">It cannot be given its name.</exception>
    public async Task LeaveAsync(PartialCopy copy)
    {
        TaskCompletionSource<PartialCopy?> closing;
        lock (_lock)
        {
            if (--copy.Users > 0)
            {
                return;
            }

            // Whoever comes now waits, and then finds what there is.
            closing = new TaskCompletionSource<PartialCopy?>(TaskCreationOptions.RunContinuationsAsynchronously);
            _open[copy.Key] = closing.Task;
        }

        try
        {
            if (copy.File.Missing.Count == 0)
            {
                await copy.File.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                copy.File.Publish(keepsJournal: true);
            }
        }
        finally
        {
            await copy.File.DisposeAsync().ConfigureAwait(false);
            lock (_lock)
            {
                _open.Remove(copy.Key);
            }

            closing.SetResult(null);
        }
    }

    /// <summary>Keeps the end of a load's writing, for <see cref="DisposeAsync"/> to wait for.</summary>
    public void Track(Task task)
    {
        lock (_lock)
        {
            _running.RemoveWhere(static done => done.IsCompleted);
            _running.Add(task);
        }
    }

    /// <summary>Returns when everything that loads left to be written is on the disk, or was given up.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] running;
        lock (_lock)
        {
            running = [.. _running];
        }

        await Task.WhenAll(running).ConfigureAwait(false);
    }

    private async Task<PartialCopy?> OpenAsync(string key, SourceIdentity identity, CancellationToken cancellationToken)
    {
        try
        {
            Folder.Make();
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, Folder.Path);
        }

        string target = Folder.TargetOf(key);
        try
        {
            Folder.RemoveDistrusted(target);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, target);
        }

        PartialFile file = await PartialFile.OpenAsync(
            target, identity, verified: null, cancellationToken, isInCache: true, Folder.KeepsOthersOut).ConfigureAwait(false);
        if (file.Finished == 0 && File.Exists(target))
        {
            // Another process has finished it between the look for it and the lock.
            file.Discard();
            await file.DisposeAsync().ConfigureAwait(false);
            return null;
        }

        return new PartialCopy(key, file);
    }

    private void Forget(string key, Task<PartialCopy?> opening)
    {
        lock (_lock)
        {
            if (_open.TryGetValue(key, out Task<PartialCopy?>? now) && now == opening)
            {
                _open.Remove(key);
            }
        }
    }
}
