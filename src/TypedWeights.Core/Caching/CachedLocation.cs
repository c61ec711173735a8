using TypedWeights.Downloads;
using TypedWeights.Format;
using TypedWeights.Sources;

namespace TypedWeights.Caching;

/// <summary>A remote location whose files come from the cache where it has them.</summary>
internal sealed class CachedLocation : IWeightLocation
{
    private readonly CacheRun _run;
    private readonly CachedPlace _place;
    private readonly Func<CancellationToken, ValueTask<IWeightLocation>> _locate;
    private readonly Lock _lock = new();

    // What was opened without asking, and what was asked for, by name.
    private readonly Dictionary<string, SourceIdentity> _trusted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IWeightSource> _asked = new(StringComparer.Ordinal);
    private IWeightLocation? _inner;
    private bool _trusts;
    private int _remote;

    private CachedLocation(
        CacheRun run, CachedPlace place, IWeightLocation? inner, Func<CancellationToken, ValueTask<IWeightLocation>> locate)
    {
        _run = run;
        _place = place;
        _inner = inner;
        _locate = locate;
        _trusts = inner is null;
    }

    public string EntryName => _place.Entry;

    public string? Revision => _place.Revision;

    /// <summary>Until every file that was opened turned out to be whole on this machine.</summary>
    public bool IsRemote
    {
        get
        {
            lock (_lock)
            {
                return _remote > 0 || _trusted.Count + _asked.Count == 0;
            }
        }
    }

    /// <summary>Finds out what a URI names, or remembers it where the source is not to be asked.</summary>
    /// <param name="run">The load's part of the cache.</param>
    /// <param name="uri">What was asked for.</param>
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

        // What is not kept of such a URL may say which file it is, so nothing is known of it before its source has answered.
        string source = HiddenParameters.Distinguish(uri);
        bool isVague = source != uri.Display;
        string held = CachedPlace.TextOf(pins);
        CachedPlace? known = isVague ? null : CachedPlace.Read(run.Folder, source, held);
        if (run.Mode is CacheMode.Trust or CacheMode.Offline && known is not null)
        {
            return run.Follow(new CachedLocation(run, known, inner: null, locate), known);
        }

        if (run.Mode == CacheMode.Offline)
        {
            throw isVague
                ? new WeightSourceException(
                    uri.Display, "its parameters may say which file it is and are not kept; without asking (CacheMode.Offline) nobody knows.")
                : Absent(run, uri.Display, [CachedPlace.PathOf(run.Folder, source, held)]);
        }

        IWeightLocation inner = await locate(cancellationToken).ConfigureAwait(false);
        var place = new CachedPlace(source, held, inner.EntryName, inner.Revision, new Dictionary<string, SourceIdentity>());
        if (!inner.IsRemote)
        {
            return inner;
        }

        var location = new CachedLocation(run, place, inner, locate);
        return isVague ? location : run.Follow(location, known);
    }

    public ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) =>
        OpenAsync(name, HeaderPrefix.Size, cancellationToken);

    public async ValueTask<IWeightSource> OpenAsync(string name, int firstBytes, CancellationToken cancellationToken)
    {
        IWeightSource opened = await TryOpenTrustedAsync(name, cancellationToken).ConfigureAwait(false)
            ?? await OpenCheckedAsync(name, firstBytes, cancellationToken).ConfigureAwait(false);
        if (opened is not CachedFile file)
        {
            Interlocked.Increment(ref _remote);
            return opened;
        }

        try
        {
            if (_run.ChecksAll)
            {
                await file.CheckAllAsync(cancellationToken).ConfigureAwait(false);
            }

            return file;
        }
        catch
        {
            await file.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Only where nothing of the file is in the cache: what is there is worth more than the round trip that this saves.</summary>
    public IWeightSource? OpenAhead(string name, long expectedLength)
    {
        string source = SourceOf(name);
        if (_inner is null || _run.Folder.HasVersionOf(source) || _inner.OpenAhead(name, expectedLength) is not { } remote)
        {
            return null;
        }

        Interlocked.Increment(ref _remote);
        lock (_lock)
        {
            _asked[name] = remote;
        }

        return new CachedSource(
            _run,
            new SourceIdentity(source, expectedLength, Validator: null),
            copy: null,
            remote,
            ask: null,
            () => TargetAsync(new SourceIdentity(source, remote.Length, remote.Validator)));
    }

    /// <summary>The place with the versions of the files that the source has told of.</summary>
    public CachedPlace Seen()
    {
        lock (_lock)
        {
            return _place with
            {
                Files = _asked.Where(static file => file.Value.Validator is not null).ToDictionary(
                    static file => file.Key, file => new SourceIdentity(SourceOf(file.Key), file.Value.Length, file.Value.Validator)),
            };
        }
    }

    private async Task<PartialCopy?> TargetAsync(SourceIdentity identity)
    {
        ICacheCopy? copy = await _run.OpenAsync(identity, CancellationToken.None).ConfigureAwait(false);

        // Somebody else has it whole by now.
        (copy as WholeCopy)?.Dispose();
        return copy as PartialCopy;
    }

    private async ValueTask<IWeightSource> OpenCheckedAsync(string name, int firstBytes, CancellationToken cancellationToken)
    {
        await DistrustAsync(cancellationToken).ConfigureAwait(false);
        IWeightSource remote = await AskAsync(name, firstBytes, cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            _asked[name] = remote;
        }

        var identity = new SourceIdentity(SourceOf(name), remote.Length, remote.Validator);
        ICacheCopy? opened;
        try
        {
            opened = await _run.OpenAsync(identity, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await remote.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return opened switch
        {
            WholeCopy whole => new CachedFile(_run, whole, remote, ask: null),
            PartialCopy copy => new CachedSource(_run, identity, copy, remote, ask: null, () => Task.FromResult<PartialCopy?>(copy)),
            _ => remote,
        };
    }

    // null where the source has to be asked.
    private async ValueTask<IWeightSource?> TryOpenTrustedAsync(string name, CancellationToken cancellationToken)
    {
        bool isOffline = _run.Mode == CacheMode.Offline;
        SourceIdentity? identity = null;
        lock (_lock)
        {
            if (!_trusts || !_place.Files.TryGetValue(name, out identity))
            {
                return isOffline ? throw Absent(_run, SourceOf(name), []) : null;
            }
        }

        if (_run.TryOpenWhole(identity, cancellationToken) is { } whole)
        {
            if (TryTrust(name, identity))
            {
                return new CachedFile(_run, whole, remote: null, isOffline ? null : token => AskAsync(name, HeaderPrefix.Size, token));
            }

            whole.Dispose();
        }

        if (!isOffline)
        {
            return null;
        }

        string[] files = CacheFolder.FilesOf(_run.Folder.TargetOf(CacheKey.Of(identity)));
        if (files.Any(path => _run.Folder.Distrust(path) is not null))
        {
            // They stay, as this load cannot replace them.
            throw Absent(_run, identity.Source, files);
        }

        if (_run.TryOpenToRead(identity, cancellationToken) is { } read)
        {
            _ = TryTrust(name, identity);
            return new CachedSource(_run, identity, read, remote: null, ask: null, target: null);
        }

        // A load of this process may be writing it.
        return await _run.OpenAsync(identity, cancellationToken).ConfigureAwait(false) is PartialCopy partial && TryTrust(name, identity)
            ? new CachedSource(_run, identity, partial, remote: null, ask: null, target: null)
            : throw Absent(_run, identity.Source, files);
    }

    private bool TryTrust(string name, SourceIdentity identity)
    {
        lock (_lock)
        {
            if (_trusts)
            {
                _trusted[name] = identity;
            }

            return _trusts;
        }
    }

    // One file has to be asked for, so the others are asked about: a model is not made of two versions.
    private async ValueTask DistrustAsync(CancellationToken cancellationToken)
    {
        KeyValuePair<string, SourceIdentity>[] trusted;
        lock (_lock)
        {
            trusted = _trusts ? [.. _trusted] : [];
            _trusts = false;
        }

        foreach ((string name, SourceIdentity identity) in trusted)
        {
            IWeightSource remote = await AskAsync(name, HeaderPrefix.Size, cancellationToken).ConfigureAwait(false);
            await using (remote.ConfigureAwait(false))
            {
                if (remote.Length != identity.Length || remote.Validator != identity.Validator)
                {
                    throw new WeightSourceException(
                        remote.Display, "its copy in the cache is of another version than the source has now; load it with CacheMode.Check.");
                }
            }
        }
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
            ? $"this load may not ask the source (CacheMode.Offline), and of the cache {denied}."
            : "it is not in the cache, and this load may not ask the source (CacheMode.Offline); load it once with CacheMode.Check.");
}
