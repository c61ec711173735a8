using TypedWeights.Sources.File;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.HuggingFace;

/// <summary>Models of the Hugging Face hub: <c>hf://org/name[@revision][/file]</c>.</summary>
/// <remarks>
/// A revision is resolved to its commit once, and every file is requested at that commit. A whole model that the hub's own tools have
/// downloaded is read from their cache folder.
/// </remarks>
internal sealed class HuggingFaceProvider : IWeightSourceProvider
{
    private const string DefaultRevision = "main";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly StoreContext _context;
    private readonly HubSettings _settings;
    private readonly HubCredentials _credentials;

    public HuggingFaceProvider(StoreContext context, HuggingFaceOptions options)
    {
        _context = context;
        _settings = new HubSettings(options, Environment.GetEnvironmentVariable);
        _credentials = new HubCredentials(_settings);
    }

    public IReadOnlyList<string> Schemes { get; } = ["hf"];

    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken) =>
        LocateAsync(uri, WeightPins.None, cancellationToken);

    public async ValueTask<IWeightLocation> LocateAsync(WeightUri uri, WeightPins pins, CancellationToken cancellationToken)
    {
        var hub = HubUri.Of(uri);
        var cache = new HubCache(_settings.CacheFolder, hub);
        string revision = pins.Revision ?? hub.Revision ?? DefaultRevision;
        if (_settings.OfflineOrigin is { } origin)
        {
            return Kept(cache, hub, revision) ?? throw new WeightSourceException(
                hub.Display,
                cache.Flaw(revision) is { } flaw
                    ? $"{origin} is set, but the hub's cache cannot be used: {flaw}."
                    : $"{origin} is set, but {_settings.CacheFolder} does not contain the whole model at {revision}.");
        }

        var repository = new HubRepository(_context, hub, _credentials, _settings.Endpoint);
        string commit = revision;
        string? entry = hub.File;
        if (!HubCache.IsCommit(revision) || (entry is null && cache.FindUsual(revision) is null))
        {
            // With a copy on disk, a load waits no longer than the hub's own tools do, and uses the copy as they do.
            FileLocation? kept = Kept(cache, hub, revision);
            using var limit = new CancellationTokenSource(kept is null ? Timeout.InfiniteTimeSpan : Patience, _context.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
            try
            {
                (commit, IReadOnlyList<string> files) = await repository.ResolveAsync(revision, either.Token).ConfigureAwait(false);
                entry ??= repository.FindEntry(files);
            }
            catch (Exception e) when (kept is not null && !cancellationToken.IsCancellationRequested && IsOutOfReach(e))
            {
                string reason = e is WeightSourceException ? e.Message : $"No response was received for {Patience.TotalSeconds:0} s.";
                _context.Note(
                    hub.Display,
                    $"the hub cannot be reached, so the files of {revision} in {_settings.CacheFolder} are used (commit {kept.Revision}); "
                        + $"there may be a newer one. {reason}");
                return kept;
            }
        }

        return cache.Find(commit, entry) ?? _context.Locate(entry!, commit, name => repository.File(commit, name));
    }

    private static FileLocation? Kept(HubCache cache, HubUri hub, string revision) =>
        cache.CommitOf(revision) is { } commit ? cache.Find(commit, hub.File) : null;

    // It sent no response, or one that says that it is down. A hub that says how long to wait is in reach.
    private static bool IsOutOfReach(Exception e) => e is OperationCanceledException or WeightSourceException { IsTransient: true, RetryAfter: null }
        || e.InnerException is HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError };
}
