using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.HuggingFace;

/// <summary>Models of the Hugging Face hub: <c>hf://org/name[@revision][/file]</c>.</summary>
/// <remarks>
/// A revision is resolved to its commit once, and every file is asked for at that commit. A model that the hub's own tools have
/// downloaded whole is read from their cache folder.
/// </remarks>
internal sealed class HuggingFaceProvider : IWeightSourceProvider
{
    private const string DefaultRevision = "main";

    private readonly StoreContext _context;
    private readonly HubSettings _settings;
    private readonly HubLogin _login;

    public HuggingFaceProvider(StoreContext context, HuggingFaceOptions options)
    {
        _context = context;
        _settings = new HubSettings(options, Environment.GetEnvironmentVariable);
        _login = new HubLogin(_settings);
    }

    public IReadOnlyList<string> Schemes { get; } = ["hf"];

    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken) =>
        LocateAsync(uri, WeightPins.None, cancellationToken);

    public async ValueTask<IWeightLocation> LocateAsync(WeightUri uri, WeightPins pins, CancellationToken cancellationToken)
    {
        var hub = HubUri.Of(uri);
        var cache = new HubCache(_settings.CacheFolder, hub);
        string revision = pins.Revision ?? hub.Revision ?? DefaultRevision;
        if (_settings.IsOffline)
        {
            return (cache.CommitOf(revision) is { } known ? cache.Find(known, hub.File) : null)
                ?? throw (cache.Denied(revision) is { } denied
                    ? new WeightSourceException(hub.Display, $"HF_HUB_OFFLINE is set, and of the hub's cache {denied}.")
                    : new WeightSourceException(
                        hub.Display,
                        $"HF_HUB_OFFLINE is set, and {_settings.CacheFolder} does not hold the model at {revision} whole.",
                        isNotFound: true));
        }

        var repository = new HubRepository(_context, hub, _login, _settings.Endpoint);
        string commit = revision;
        string? entry = hub.File;
        if (!HubCache.IsCommit(revision) || (entry is null && cache.FindUsual(revision) is null))
        {
            (commit, IReadOnlyList<string> files) = await repository.ResolveAsync(revision, cancellationToken).ConfigureAwait(false);
            entry ??= repository.FindEntry(files);
        }

        return cache.Find(commit, entry) ?? _context.Locate(entry!, commit, name => repository.File(commit, name));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
