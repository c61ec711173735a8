using TypedWeights.Downloads;
using TypedWeights.Format;
using TypedWeights.Sources;

namespace TypedWeights.Caching;

/// <summary>
/// A remote location whose files come from the cache where it has them. Either the source reports the version of each file, or the
/// versions are those that one earlier load saw together: a load never mixes files of two versions.
/// </summary>
internal sealed class CachedLocation : IWeightLocation
{
    private readonly CacheRun _run;
    private readonly CachedPlace _place;
    private readonly bool _isTrusted;
    private readonly Func<CancellationToken, ValueTask<IWeightLocation>> _locate;
    private readonly Lock _lock = new();

    // The remote files that were opened, by name.
    private readonly Dictionary<string, IWeightSource> _remoteFiles = new(StringComparer.Ordinal);
    private IWeightLocation? _inner;
    private int _opened;
    private int _remote;

    private CachedLocation(
        CacheRun run, CachedPlace place, IWeightLocation? inner, Func<CancellationToken, ValueTask<IWeightLocation>> locate)
    {
        _run = run;
        _place = place;
        _inner = inner;
        _locate = locate;
        _isTrusted = inner is null;
    }

    public string EntryName => _place.Entry;

    public string? Revision => _place.Revision;

    /// <summary>Until every file that was opened turned out to be whole on this machine.</summary>
    public bool IsRemote => Volatile.Read(ref _remote) > 0 || Volatile.Read(ref _opened) == 0;

    private bool IsOffline => _run.Mode == CacheMode.Offline;

    /// <summary>Finds out what a URI names, from the source or from what an earlier load saw.</summary>
    /// <param name="run">The load's part of the cache.</param>
    /// <param name="uri">The URI.</param>
    /// <param name="pins">What the load is held to.</param>
    /// <param name="locate">Asks the store.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The location; a local one as it is.</returns>
    public static async ValueTask<IWeightLocation> LocateAsync(
        CacheRun run,
        WeightUri uri,
        WeightPins pins,
        Func<CancellationToken, ValueTask<IWeightLocation>> locate,
        CancellationToken cancellationToken)
    {
        if (uri.Scheme == "file")
        {
            return await locate(cancellationToken).ConfigureAwait(false);
        }

        // What is not kept of such a URL may say which file it is, so nothing is known of it before its source has responded.
        string source = HiddenParameters.Distinguish(uri);
        bool isVague = source != uri.Display;
        string held = CachedPlace.TextOf(pins);
        CachedPlace? known = isVague ? null : CachedPlace.Read(run.Folder, source, held);
        if (known is not null
            && (run.Mode == CacheMode.Offline || (run.Mode == CacheMode.Trust && await IsWholeAsync(known).ConfigureAwait(false))))
        {
            return run.Follow(new CachedLocation(run, known, inner: null, locate), known);
        }

        if (run.Mode == CacheMode.Offline)
        {
            throw isVague
                ? new WeightSourceException(
                    uri.Display,
                    "its query parameters may identify the file and are not stored, so a load that sends no requests (CacheMode.Offline) cannot "
                        + "resolve it.")
                : Absent(run, uri.Display, [CachedPlace.PathOf(run.Folder, source, held)]);
        }

        IWeightLocation inner = await locate(cancellationToken).ConfigureAwait(false);
        if (!inner.IsRemote)
        {
            return inner;
        }

        var place = new CachedPlace(source, held, inner.EntryName, inner.Revision, new Dictionary<string, SourceIdentity>());
        var location = new CachedLocation(run, place, inner, locate);
        return isVague ? location : run.Follow(location, known);

        async ValueTask<bool> IsWholeAsync(CachedPlace place)
        {
            foreach (SourceIdentity identity in place.Files.Values)
            {
                CacheCopy? copy = run.TryOpenToRead(identity, cancellationToken);
                if (copy is not null)
                {
                    await copy.DisposeAsync().ConfigureAwait(false);
                }

                if (copy is not { IsWhole: true })
                {
                    return false;
                }
            }

            return true;
        }
    }

    public ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) =>
        OpenAsync(name, HeaderPrefix.Size, cancellationToken);

    public async ValueTask<IWeightSource> OpenAsync(string name, int firstBytes, CancellationToken cancellationToken)
    {
        IWeightSource opened = _isTrusted
            ? await OpenTrustedAsync(name, cancellationToken).ConfigureAwait(false)
            : await OpenCheckedAsync(name, firstBytes, cancellationToken).ConfigureAwait(false);
        Interlocked.Add(ref _remote, opened is CachedFile ? 0 : 1);
        Interlocked.Increment(ref _opened);
        if (opened is CachedFile file && _run.ChecksAll)
        {
            try
            {
                await file.CheckAllAsync(cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                await file.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }

        return opened;
    }

    /// <summary>Never: the version that the source reports decides what comes from the cache.</summary>
    public IWeightSource? OpenAhead(string name, long expectedLength) => null;

    /// <summary>The place with the versions of the files that the source has reported.</summary>
    public CachedPlace Seen()
    {
        lock (_lock)
        {
            return _place with
            {
                Files = _remoteFiles.Where(static file => file.Value.Validator is not null).ToDictionary(
                    static file => file.Key, file => new SourceIdentity(SourceOf(file.Key), file.Value.Length, file.Value.Validator)),
            };
        }
    }

    private async ValueTask<IWeightSource> OpenCheckedAsync(string name, int firstBytes, CancellationToken cancellationToken)
    {
        IWeightSource remote = await AskAsync(name, firstBytes, cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            _remoteFiles[name] = remote;
        }

        var identity = new SourceIdentity(SourceOf(name), remote.Length, remote.Validator);
        try
        {
            return await _run.OpenAsync(identity, cancellationToken).ConfigureAwait(false) switch
            {
                null => remote,
                { IsReadOnly: true } whole => new CachedFile(_run, whole, remote, open: null),
                { } copy => new CachedSource(_run, identity, copy, remote),
            };
        }
        catch
        {
            await remote.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    // At the version that an earlier load saw, even if the source has another one now.
    private async ValueTask<IWeightSource> OpenTrustedAsync(string name, CancellationToken cancellationToken)
    {
        if (!_place.Files.TryGetValue(name, out SourceIdentity? identity))
        {
            throw IsOffline ? Absent(_run, SourceOf(name), []) : new WeightSourceException(
                SourceOf(name), "the cache does not have the version of this file that matches its other files; load it with CacheMode.Check.");
        }

        Func<CancellationToken, ValueTask<IWeightSource>>? open = IsOffline ? null : token => AskAsync(name, HeaderPrefix.Size, token);
        CacheCopy? copy = _run.TryOpenToRead(identity, cancellationToken);
        if (copy is { IsWhole: true })
        {
            return new CachedFile(_run, copy, remote: null, open);
        }

        if (IsOffline && copy is null)
        {
            throw Absent(_run, identity.Source, CacheFolder.FilesOf(_run.Folder.PathOf(identity)));
        }

        return new CachedSource(_run, identity, copy, remote: null, open);
    }

    private async ValueTask<IWeightSource> AskAsync(string name, int firstBytes, CancellationToken cancellationToken)
    {
        IWeightLocation inner = _inner ??= await _locate(cancellationToken).ConfigureAwait(false);
        return await inner.OpenAsync(name, firstBytes, cancellationToken).ConfigureAwait(false);
    }

    private string SourceOf(string name) => CacheKey.SourceOf(_place.Source, EntryName, name);

    private static WeightSourceException Absent(CacheRun run, string source, string[] files) => new(
        source,
        run.Denied(files) is { } denied
            ? $"this load sends no request (CacheMode.Offline), and its copy in the cache cannot be used: {denied}."
            : "it is not in the cache, and this load sends no request (CacheMode.Offline); load it once with CacheMode.Check.");
}
