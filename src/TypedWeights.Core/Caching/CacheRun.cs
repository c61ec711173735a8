using System.Globalization;
using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Caching;

/// <summary>
/// The cache's part in one load: opens copies, and writes what comes from the source beside the load. Bytes are copied into a few
/// buffers as they come, so that neither a slow disk holds the load back nor does anybody's later change of a tensor reach the file.
/// </summary>
internal sealed class CacheRun
{
    // Who finishes or removes a copy at the same moment does so once.
    private const int Looks = 10;

    private readonly LocalCache _cache;
    private readonly string _display;
    private readonly CacheWriter _writer;
    private readonly Lock _lock = new();
    private readonly HashSet<PartialCopy> _joined = [];
    private readonly HashSet<SourceIdentity> _opened = [];
    private (CachedLocation Location, CachedPlace? Known)? _followed;
    private Task<bool>? _end;
    private volatile bool _goesWithout;
    private volatile bool _isDistrusted;
    private int _informed;
    private int _warned;

    public CacheRun(LocalCache cache, CacheMode mode, string display, bool checksAll)
    {
        _cache = cache;
        _display = display;
        Mode = mode;
        ChecksAll = checksAll;
        _writer = new CacheWriter(cache);
    }

    public CacheMode Mode { get; }

    /// <summary>Whether copies are checked from the first byte to the last when they are opened.</summary>
    public bool ChecksAll { get; }

    public CacheFolder Folder => _cache.Folder;

    /// <summary>What comes goes here.</summary>
    public CacheWriter Writer => _writer;

    /// <summary>Takes the location of the load: what its source tells of versions is written down when the load has ended.</summary>
    /// <param name="location">The location.</param>
    /// <param name="known">What was known of it before.</param>
    public CachedLocation Follow(CachedLocation location, CachedPlace? known)
    {
        _followed = (location, known);
        return location;
    }

    /// <summary>Opens the whole copy of a version.</summary>
    /// <returns>null where there is none that can be used.</returns>
    public WholeCopy? TryOpenWhole(SourceIdentity identity, CancellationToken cancellationToken)
    {
        // Whatever the mode, this is where a load looks first.
        lock (_lock)
        {
            _opened.Add(identity);
        }

        string target = Folder.TargetOf(CacheKey.Of(identity));
        if ((Folder.Distrust(target) ?? Folder.Distrust(PartialFile.JournalOf(target))) is { } reason)
        {
            Note($"the copy in the cache cannot be used: {reason}.");
            return null;
        }

        try
        {
            return WholeCopy.TryOpen(target, identity, cancellationToken);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            Note(
                $"the copy in the cache cannot be used: {Denied(target, PartialFile.JournalOf(target)) ?? e.Message.TrimEnd('.')}.",
                isWrong: e is not IOException io || !DiskFailure.IsLocked(io));
            return null;
        }
    }

    /// <summary>Opens the partial copy of a version beside others who read it.</summary>
    /// <returns>null where there is none, or somebody is writing it.</returns>
    public ReadCopy? TryOpenToRead(SourceIdentity identity, CancellationToken cancellationToken)
    {
        try
        {
            return ReadCopy.TryOpen(Folder.TargetOf(CacheKey.Of(identity)), identity, cancellationToken);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            return null;
        }
    }

    /// <summary>Opens the copy of a version: the whole one, or the partial one that this load will write into.</summary>
    /// <returns>null where it goes without.</returns>
    public async ValueTask<ICacheCopy?> OpenAsync(SourceIdentity identity, CancellationToken cancellationToken)
    {
        ICacheCopy? copy = await TryOpenAsync(identity, cancellationToken).ConfigureAwait(false);
        if (copy is null)
        {
            _goesWithout = true;
        }

        return copy;
    }

    /// <summary>Why some files of the cache may not be read, or are not trusted, as a sentence without its full stop; null for neither.</summary>
    public string? Denied(params IEnumerable<string> paths) =>
        Denial.OfUse(Folder.Path)
            ?? paths.Select(path => Denial.OfRead(path, path) ?? Folder.Distrust(path)).FirstOrDefault(static denied => denied is not null);

    /// <summary>Says something of the load's use of the cache, once of each kind: what is wrong with one file is mostly so with all.</summary>
    public void Note(string message, bool isWrong = true)
    {
        if (Interlocked.Exchange(ref (isWrong ? ref _warned : ref _informed), 1) == 0)
        {
            _cache.Noted?.Invoke(_display, message, isWrong);
        }
    }

    /// <summary>
    /// The load found other bytes than there should be: its copies go when it has ended, or every later load would find the same in them.
    /// </summary>
    public void Distrust() => _isDistrusted = true;

    /// <summary>
    /// The load has ended, well or not: what came is written, and copies that are whole get their names. Never fails. Asked again, it gives
    /// the same task.
    /// </summary>
    /// <returns>Whether everything that came is in the cache.</returns>
    public Task<bool> FinishAsync()
    {
        lock (_lock)
        {
            if (_end is null)
            {
                _end = Task.Run(EndAsync);
                _cache.Track(_end);
            }

            return _end;
        }
    }

    private async ValueTask<ICacheCopy?> TryOpenAsync(SourceIdentity identity, CancellationToken cancellationToken)
    {
        if (!identity.IsCertain)
        {
            Note("its source gives no ETag or date by which to tell whether a copy is still the same, so it is not cached.");
            return null;
        }

        try
        {
            for (int look = 0; look < Looks; look++)
            {
                if (TryOpenWhole(identity, cancellationToken) is { } whole)
                {
                    return whole;
                }

                if (identity.Length > _cache.Options.SizeLimit)
                {
                    // It would drive out everything else and then not fit.
                    Note($"not cached: a file has {identity.Length} bytes, more than the cache may have in all (LocalCacheOptions.SizeLimit).");
                    return null;
                }

                if (await JoinAsync(identity, cancellationToken).ConfigureAwait(false) is { } copy)
                {
                    return copy;
                }
            }

            // A whole copy stands in the way that cannot be opened: another user's, perhaps, or on a bad disk. That has been said.
            return null;
        }
        catch (WeightsException e)
        {
            // What makes a cache useless is no reason to fail a load.
            bool isLocked = e.InnerException is IOException io && DiskFailure.IsLocked(io);
            Note(isLocked ? "another process is writing it into the cache; this load does without." : $"not cached: {e.Message}", !isLocked);
            return null;
        }
    }

    private async ValueTask<PartialCopy?> JoinAsync(SourceIdentity identity, CancellationToken cancellationToken)
    {
        PartialCopy? copy = await _cache.JoinAsync(identity, cancellationToken).ConfigureAwait(false);
        bool isAgain;
        lock (_lock)
        {
            isAgain = copy is not null && !_joined.Add(copy);
        }

        if (isAgain)
        {
            await _cache.LeaveAsync(copy!).ConfigureAwait(false);
        }

        return copy;
    }

    private async Task<bool> EndAsync()
    {
        await _writer.FinishAsync().ConfigureAwait(false);
        string? failure = _writer.Failure;
        foreach (PartialCopy copy in _joined)
        {
            try
            {
                await _cache.LeaveAsync(copy).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                failure ??= e.Message;
            }
        }

        if (_isDistrusted)
        {
            RemoveOpened();
        }

        string? end = failure is not null ? $"caching was given up: {failure}"
            : _writer.Dropped == 0 ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"the cache's disk was slower than the source: {_writer.Dropped:N0} bytes are not in the cache; the next load fetches them.");
        if (end is not null)
        {
            // Whatever was said before: this is how it ended.
            _warned = 1;
            _cache.Noted?.Invoke(_display, end, true);
        }

        Remember();

        return failure is null && _writer.Dropped == 0 && !_goesWithout;
    }

    // What others are reading stays: they will say the same of it.
    private void RemoveOpened()
    {
        HashSet<string> targets = [.. _opened.Select(identity => Folder.TargetOf(CacheKey.Of(identity)))];
        try
        {
            foreach (CachedItem item in _opened.SelectMany(identity => Folder.VersionsOf(identity.Source, CancellationToken.None))
                .Where(item => targets.Contains(item.Target)))
            {
                if (CacheFolder.Remove(item) is { IsInUse: false } stayed)
                {
                    Note($"the copy with wrong bytes stays in the cache: {stayed.Path}: {stayed.Reason}.");
                }
            }
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            Note($"copies with wrong bytes stay in the cache: {Denied() ?? e.Message.TrimEnd('.')}.");
        }
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

            RemoveOthers();
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            Note($"not cached: {DiskFailure.Of(e, Folder.Path).Message}");
        }
    }

    // The versions before the one that is whole now, unless a load that is held to them will come for them.
    private void RemoveOthers()
    {
        PartialCopy[] whole = [.. _joined.Where(static copy => copy.File.Missing.Count == 0)];
        if (whole.Length == 0)
        {
            return;
        }

        var named = CachedPlace.ReadAll(Folder).SelectMany(static place => place.Files.Values).Select(CacheKey.Of)
            .Concat(whole.Select(static copy => copy.Key)).Select(Folder.TargetOf).ToHashSet(StringComparer.Ordinal);
        IEnumerable<CachedItem> versions = whole.SelectMany(copy => Folder.VersionsOf(copy.File.Identity.Source, CancellationToken.None));
        foreach (CachedItem item in versions.Where(item => !named.Contains(item.Target)))
        {
            CacheFolder.Remove(item);
        }
    }
}
