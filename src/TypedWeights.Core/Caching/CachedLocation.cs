using TypedWeights.Downloads;
using TypedWeights.Format;
using TypedWeights.Sources;

namespace TypedWeights.Caching;

/// <summary>A remote location whose files come from the cache where it has them.</summary>
internal sealed class CachedLocation : IWeightLocation
{
    private readonly CacheRun _run;
    private readonly WeightUri _uri;
    private readonly Func<CancellationToken, ValueTask<IWeightLocation>> _locate;
    private IWeightLocation? _inner;
    private int _opened;
    private int _whole;

    private CachedLocation(
        CacheRun run, WeightUri uri, CachedPlace place, IWeightLocation? inner, Func<CancellationToken, ValueTask<IWeightLocation>> locate)
    {
        _run = run;
        _uri = uri;
        _inner = inner;
        _locate = locate;
        EntryName = place.Entry;
        Revision = place.Revision;
    }

    public string EntryName { get; }

    public string? Revision { get; }

    /// <summary>Until every file that was opened turned out to be whole on this machine.</summary>
    public bool IsRemote => Volatile.Read(ref _opened) == 0 || _whole < _opened;

    /// <summary>Finds out what a URI names, or remembers it where the source is not to be asked.</summary>
    /// <param name="run">The load's part of the cache.</param>
    /// <param name="uri">What was asked for.</param>
    /// <param name="locate">Asks the store.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The location; a local one as it is.</returns>
    public static async ValueTask<IWeightLocation> LocateAsync(
        CacheRun run, WeightUri uri, Func<CancellationToken, ValueTask<IWeightLocation>> locate, CancellationToken cancellationToken)
    {
        bool isLocal = uri.Scheme == "file";
        CachedPlace? known = isLocal ? null : CachedPlace.Read(run.Folder, uri);
        if (known is not null && run.Mode is CacheMode.Trust or CacheMode.Offline)
        {
            return new CachedLocation(run, uri, known!, inner: null, locate);
        }

        if (run.Mode == CacheMode.Offline && !isLocal)
        {
            throw Absent(uri.Display);
        }

        IWeightLocation inner = await locate(cancellationToken).ConfigureAwait(false);
        if (!inner.IsRemote)
        {
            return inner;
        }

        var place = new CachedPlace(uri.Display, inner.EntryName, inner.Revision);
        if (place != known)
        {
            Remember(run, place);
        }

        return new CachedLocation(run, uri, place, inner, locate);
    }

    public ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) =>
        OpenAsync(name, HeaderPrefix.Size, cancellationToken);

    public async ValueTask<IWeightSource> OpenAsync(string name, int firstBytes, CancellationToken cancellationToken)
    {
        string source = SourceOf(name);
        IWeightSource? opened = _run.Mode is CacheMode.Trust or CacheMode.Offline ? await OpenTrustedAsync(name, source).ConfigureAwait(false) : null;
        opened ??= await OpenCheckedAsync(name, source, firstBytes, cancellationToken).ConfigureAwait(false);
        Interlocked.Increment(ref _opened);
        if (opened is CachedFile file)
        {
            Interlocked.Increment(ref _whole);
            await CheckAsync(file, cancellationToken).ConfigureAwait(false);
        }

        return opened;
    }

    /// <summary>Only where nothing of the file is in the cache: what is there is worth more than the round trip that this saves.</summary>
    public IWeightSource? OpenAhead(string name, long expectedLength)
    {
        string source = SourceOf(name);
        if (_inner is null || _run.Folder.VersionsOf(source).Count > 0 || _inner.OpenAhead(name, expectedLength) is not { } remote)
        {
            return null;
        }

        Interlocked.Increment(ref _opened);
        return new CachedSource(
            _run,
            new SourceIdentity(source, expectedLength, Validator: null),
            copy: null,
            remote,
            ask: null,
            () => TargetAsync(new SourceIdentity(source, remote.Length, remote.Validator)));
    }

    private async Task<PartialCopy?> TargetAsync(SourceIdentity identity)
    {
        ICacheCopy? copy = await _run.OpenAsync(identity).ConfigureAwait(false);

        // Somebody else has it whole by now.
        (copy as WholeCopy)?.Dispose();
        return copy as PartialCopy;
    }

    private async ValueTask<IWeightSource> OpenCheckedAsync(string name, string source, int firstBytes, CancellationToken cancellationToken)
    {
        IWeightLocation inner = _inner ??= await _locate(cancellationToken).ConfigureAwait(false);
        IWeightSource remote = await inner.OpenAsync(name, firstBytes, cancellationToken).ConfigureAwait(false);
        var identity = new SourceIdentity(source, remote.Length, remote.Validator);
        return await _run.OpenAsync(identity).ConfigureAwait(false) switch
        {
            WholeCopy whole => new CachedFile(_run, whole, remote, ask: null),
            PartialCopy copy => new CachedSource(_run, identity, copy, remote, ask: null, () => Task.FromResult<PartialCopy?>(copy)),
            _ => remote,
        };
    }

    // null where the source has to be asked.
    private async ValueTask<IWeightSource?> OpenTrustedAsync(string name, string source)
    {
        bool isOffline = _run.Mode == CacheMode.Offline;
        IReadOnlyList<CachedItem> versions = _run.Folder.VersionsOf(source);
        foreach (CachedItem item in versions.Where(static item => item.IsWhole))
        {
            if (_run.TryOpenWhole(item.Target, source) is { } whole)
            {
                return new CachedFile(_run, whole, remote: null, isOffline ? null : token => AskAsync(name, token));
            }
        }

        foreach (CachedItem item in versions.Where(item => isOffline && item.Identity is { } identity && identity.Source == source))
        {
            switch (await _run.OpenAsync(item.Identity!).ConfigureAwait(false))
            {
                case WholeCopy whole:
                    return new CachedFile(_run, whole, remote: null, ask: null);
                case PartialCopy partial:
                    return new CachedSource(_run, item.Identity!, partial, remote: null, ask: null, target: null);
            }
        }

        return isOffline ? throw Absent(source) : null;
    }

    private async ValueTask<IWeightSource> AskAsync(string name, CancellationToken cancellationToken)
    {
        IWeightLocation inner = _inner ??= await _locate(cancellationToken).ConfigureAwait(false);
        return await inner.OpenAsync(name, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask CheckAsync(CachedFile file, CancellationToken cancellationToken)
    {
        try
        {
            if (_run.ChecksAll)
            {
                await file.CheckAllAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            await file.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private string SourceOf(string name) => CacheKey.SourceOf(_uri.Display, EntryName, name);

    private static void Remember(CacheRun run, CachedPlace place)
    {
        try
        {
            run.Folder.Make();
            place.Write(run.Folder);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            run.Note($"not cached: {DiskFailure.Of(e, run.Folder.Path).Message}");
        }
    }

    private static WeightSourceException Absent(string source) => new(
        source, "it is not in the cache, and this load may not ask the source (CacheMode.Offline); load it once with CacheMode.Check.", isNotFound: true);
}
