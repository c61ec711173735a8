using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Caching;

/// <summary>
/// Copies of remote files on a disk of this machine. One loader has one; several, and several processes, may have the same folder: the
/// locks on the files say who writes and what is in use.
/// </summary>
internal sealed class LocalCache : IAsyncDisposable
{
    // Each process goes beyond the limit by at most this part of it, which it writes between two looks at the folder.
    private const int LooksOnTheWay = 16;

    private readonly Lock _lock = new();
    private readonly HashSet<Task> _running = [];
    private long _room;

    // The copies that this process writes, by path.
    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly Dictionary<string, CacheCopy> _written = new(StringComparer.Ordinal);

    public LocalCache(string folder, LocalCacheOptions options)
    {
        options.Validate();
        Folder = new CacheFolder(folder, options.TrustFolder);
        Options = options;
    }

    public CacheFolder Folder { get; }

    public LocalCacheOptions Options { get; }

    /// <summary>Is called with what people should know: the source, a sentence, and whether something is wrong.</summary>
    public Action<string, string, bool>? Noted { get; set; }

    /// <summary>Begins a load.</summary>
    /// <param name="mode">The mode of the load; null for that of the cache's options.</param>
    /// <param name="display">The checkpoint as it may be shown.</param>
    /// <param name="checksAll">Whether copies are checked when they are opened, as their bytes will not be read through the cache.</param>
    /// <param name="isLocal">Whether the load is of files of this machine, which are not cached.</param>
    /// <returns>null if the load continues without the cache.</returns>
    /// <exception cref="WeightSourceException">The load may not send requests, and the folder is not trusted.</exception>
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
            + "Remove their write permission, use your own folder, or declare it trusted "
            + "(LocalCacheOptions.TrustFolder, TYPEDWEIGHTS_CACHE_TRUST=1)";
        if (chosen == CacheMode.Offline)
        {
            throw new WeightSourceException(display, $"this load sends no request (CacheMode.Offline), and {advice}.");
        }

        Noted?.Invoke(display, $"loading without the cache: {advice}.", true);
        return null;
    }

    /// <summary>Opens the copy of a version for writing, together with other loads of this process.</summary>
    /// <param name="identity">The version.</param>
    /// <param name="cancellationToken">Ends the reading of its journal.</param>
    /// <exception cref="WeightsException">Another process has it, or it cannot be written.</exception>
    public async Task<CacheCopy> JoinAsync(SourceIdentity identity, CancellationToken cancellationToken)
    {
        string path = Folder.PathOf(identity);
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_written.TryGetValue(path, out CacheCopy? copy))
            {
                Folder.Make();
                Folder.RemoveDistrusted(path);
                copy = await CacheCopy.OpenToWriteAsync(path, identity, Folder.KeepsOthersOut, cancellationToken).ConfigureAwait(false);
                _written.Add(path, copy);
            }

            copy.Users++;
            return copy;
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, Folder.Path, shown: null, path);
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Ends a load's use of a copy that it joined. The last load closes it.</summary>
    public async Task LeaveAsync(CacheCopy copy)
    {
        await _opening.WaitAsync().ConfigureAwait(false);
        try
        {
            if (--copy.Users == 0)
            {
                _written.Remove(copy.Path);
                await copy.DisposeAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Reserves space for a write, and removes the least recently used copies if the limit would be exceeded.</summary>
    /// <exception cref="WeightsException">Everything that could go is in use.</exception>
    public void TakeRoom(long bytes)
    {
        if (Options.SizeLimit is not { } most)
        {
            return;
        }

        lock (_lock)
        {
            if (_room < bytes)
            {
                // Other processes may have written since the last look.
                long used = Folder.Shrink(Math.Max(0, most - bytes), CancellationToken.None);
                if (used + bytes > most)
                {
                    throw new WeightsException($"{Folder.Path}: it is full, and everything in it is in use (LocalCacheOptions.SizeLimit).");
                }

                _room = Math.Max(bytes, Math.Min(most - used, most / LooksOnTheWay));
            }

            _room -= bytes;
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
}
