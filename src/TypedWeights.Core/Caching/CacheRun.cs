using System.Globalization;
using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Caching;

/// <summary>
/// The cache's part in one load: opens copies, and writes what comes from the source beside the load. Bytes are copied into a few
/// buffers as they come, so that neither a slow disk holds the load back nor does a later change of a tensor reach the file.
/// </summary>
/// <param name="cache">The cache.</param>
/// <param name="mode">What the load does with it.</param>
/// <param name="display">The checkpoint as it may be shown.</param>
/// <param name="checksAll">Whether copies are checked from the first byte to the last when they are opened.</param>
internal sealed class CacheRun(LocalCache cache, CacheMode mode, string display, bool checksAll)
{
    private readonly Lock _lock = new();
    private readonly HashSet<CacheCopy> _joined = [];

    // The copies that the load opened, and those that turned out to have wrong bytes, by path.
    private readonly HashSet<string> _opened = [];
    private readonly HashSet<string> _wrong = [];
    private (CachedLocation Location, CachedPlace? Known)? _followed;
    private Task<bool>? _end;
    private volatile bool _goesWithout;
    private int _informed;
    private int _warned;

    public CacheMode Mode => mode;

    /// <summary>Whether copies are checked from the first byte to the last when they are opened.</summary>
    public bool ChecksAll => checksAll;

    public CacheFolder Folder => cache.Folder;

    /// <summary>Writes what comes from the source.</summary>
    public CacheWriter Writer { get; } = new(cache);

    /// <summary>Takes the location of the load: what its source reports of versions is written down when the load has ended.</summary>
    /// <param name="location">The location.</param>
    /// <param name="known">What was known of it before.</param>
    public CachedLocation Follow(CachedLocation location, CachedPlace? known)
    {
        _followed = (location, known);
        return location;
    }

    /// <summary>Opens the copy of a version for reading.</summary>
    /// <returns>null if no copy can be used.</returns>
    public CacheCopy? TryOpenToRead(SourceIdentity identity, CancellationToken cancellationToken)
    {
        string path = Folder.PathOf(identity);
        lock (_lock)
        {
            _opened.Add(path);
        }

        if (Folder.Distrust(CacheFolder.FilesOf(path)) is { } reason)
        {
            Note($"the copy in the cache cannot be used: {reason}.");
            return null;
        }

        try
        {
            return CacheCopy.TryOpenToRead(path, identity, cancellationToken);
        }
        catch (IOException e) when (DiskFailure.IsLocked(e))
        {
            return null;
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            Note($"the copy in the cache cannot be used: {Denied(CacheFolder.FilesOf(path)) ?? e.Message.TrimEnd('.')}.");
            return null;
        }
    }

    /// <summary>Opens the copy of a version: a whole one for reading, and otherwise one that this load will write into.</summary>
    /// <returns>null if the load continues without it.</returns>
    public async ValueTask<CacheCopy?> OpenAsync(SourceIdentity identity, CancellationToken cancellationToken)
    {
        if (!identity.IsCertain)
        {
            return GoWithout("not cached: its source sends no ETag or date that shows whether a copy is still current.");
        }

        if (TryOpenToRead(identity, cancellationToken) is { } copy)
        {
            if (copy.IsWhole)
            {
                return copy;
            }

            await copy.DisposeAsync().ConfigureAwait(false);
        }

        if (identity.Length > cache.Options.SizeLimit)
        {
            // It would drive out everything else and then not fit.
            return GoWithout(
                $"not cached: a file has {identity.Length} bytes, more than the limit of the whole cache (LocalCacheOptions.SizeLimit).");
        }

        try
        {
            return await JoinAsync(identity, cancellationToken).ConfigureAwait(false);
        }
        catch (WeightsException e)
        {
            // A load does not fail because its cache cannot be used.
            return e.InnerException is IOException io && DiskFailure.IsLocked(io)
                ? GoWithout("another process is writing it to the cache; this load continues without the cache.", isWrong: false)
                : GoWithout($"not cached: {e.Message}");
        }
    }

    /// <summary>Why some files of the cache may not be read, or are not trusted, as a sentence without its full stop; null for neither.</summary>
    public string? Denied(params IEnumerable<string> paths) =>
        Denial.OfUse(Folder.Path)
            ?? paths.Select(path => Denial.OfRead(path, path) ?? Folder.Distrust(path)).FirstOrDefault(static denied => denied is not null);

    /// <summary>Notes something of the load's use of the cache, once of each kind: what is wrong with one file is mostly so with all.</summary>
    public void Note(string message, bool isWrong = true)
    {
        if (Interlocked.Exchange(ref (isWrong ? ref _warned : ref _informed), 1) == 0)
        {
            cache.Noted?.Invoke(display, message, isWrong);
        }
    }

    /// <summary>
    /// Notes that a part of a copy is damaged. A copy that this load writes gets the part again; another one is removed when the load has
    /// ended, so that the next load caches the file again.
    /// </summary>
    public void NoteDamage(CacheCopy copy, FinishedPart part)
    {
        Note($"{part.Length} bytes at {part.Offset} of the copy in the cache are damaged and count as missing.");
        if (copy.IsReadOnly)
        {
            _goesWithout = true;
            lock (_lock)
            {
                _wrong.Add(copy.Path);
            }
        }
    }

    /// <summary>
    /// Notes that the load found other bytes than there should be: its copies are removed when it has ended, or every later load would find
    /// the same in them.
    /// </summary>
    public void Distrust()
    {
        lock (_lock)
        {
            _wrong.UnionWith(_opened);
        }
    }

    /// <summary>
    /// Ends the load, whether it succeeded or not: the received bytes are written. Never fails. Later calls return the same task.
    /// </summary>
    /// <returns>Whether all received bytes are in the cache.</returns>
    public Task<bool> FinishAsync()
    {
        lock (_lock)
        {
            if (_end is null)
            {
                _end = Task.Run(EndAsync);
                cache.Track(_end);
            }

            return _end;
        }
    }

    private CacheCopy? GoWithout(string why, bool isWrong = true)
    {
        _goesWithout = true;
        Note(why, isWrong);
        return null;
    }

    private async ValueTask<CacheCopy> JoinAsync(SourceIdentity identity, CancellationToken cancellationToken)
    {
        CacheCopy copy = await cache.JoinAsync(identity, cancellationToken).ConfigureAwait(false);
        bool isNew;
        lock (_lock)
        {
            isNew = _joined.Add(copy);
        }

        if (!isNew)
        {
            await cache.LeaveAsync(copy).ConfigureAwait(false);
        }

        return copy;
    }

    private async Task<bool> EndAsync()
    {
        await Writer.FinishAsync().ConfigureAwait(false);
        foreach (CacheCopy copy in _joined)
        {
            await cache.LeaveAsync(copy).ConfigureAwait(false);
        }

        // A copy that another load is reading stays: that load will find the same damage.
        foreach (CacheRemnant stayed in _wrong.Select(CacheFolder.Remove).OfType<CacheRemnant>().Where(static stayed => !stayed.IsInUse))
        {
            Note($"the damaged copy could not be removed from the cache: {stayed.Path}: {stayed.Reason}.");
        }

        string? end = Writer.Failure is { } failure ? $"caching was stopped: {failure}"
            : Writer.Dropped == 0 ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"the cache's disk was slower than the source: {Writer.Dropped:N0} bytes were not cached; the next load fetches them.");
        if (end is not null)
        {
            // Replaces earlier notes: this is the final state of the caching.
            _warned = 1;
            cache.Noted?.Invoke(display, end, true);
        }

        Remember();
        return end is null && !_goesWithout;
    }

    private void Remember()
    {
        if (_followed is not { } followed)
        {
            return;
        }

        try
        {
            CachedPlace place = followed.Location.Seen().After(followed.Known);
            if (!place.Says(followed.Known) && place.Files.Count > 0)
            {
                Folder.Make();
                place.Write(Folder);
            }

            RemoveOlderVersions();
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            Note($"not cached: {DiskFailure.Of(e, Folder.Path).Message}");
        }
    }

    // Unless a later load is pinned to these versions.
    private void RemoveOlderVersions()
    {
        CacheCopy[] whole = [.. _joined.Where(static copy => copy.IsWhole)];
        if (whole.Length == 0)
        {
            return;
        }

        var named = CachedPlace.ReadAll(Folder).SelectMany(static place => place.Files.Values).Select(Folder.PathOf)
            .Concat(whole.Select(static copy => copy.Path)).ToHashSet(StringComparer.Ordinal);
        foreach (CachedItem item in whole.SelectMany(copy => Folder.VersionsOf(copy.Identity.Source, CancellationToken.None)))
        {
            _ = named.Contains(item.Path) ? null : CacheFolder.Remove(item.Path);
        }
    }
}
