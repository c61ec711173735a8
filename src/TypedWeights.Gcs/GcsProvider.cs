using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>Objects of Google Cloud Storage: <c>gs://bucket/object[#generation]</c>.</summary>
/// <remarks>
/// The object's name stands as it is, nothing in it is escaped. What does not end with <c>.safetensors</c> or <c>.json</c> is a folder, in
/// which the usual names are tried.
/// </remarks>
public sealed class GcsProvider : IRegisteredSource<GcsProvider>
{
    private readonly StoreContext _context;
    private readonly GcsOptions _options;
    private readonly Lock _lock = new();
    private GcsService? _service;

    internal GcsProvider(StoreContext context, GcsOptions options)
    {
        _context = context;
        _options = options;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Schemes { get; } = ["gs"];

    /// <inheritdoc/>
    public static GcsProvider Create(StoreContext context) => new(context, new GcsOptions());

    /// <inheritdoc/>
    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken) =>
        LocateAsync(uri, WeightPins.None, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<IWeightLocation> LocateAsync(WeightUri uri, WeightPins pins, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(uri);
        ArgumentNullException.ThrowIfNull(pins);
        var gs = GcsUri.Of(uri);
        GcsService service = Service(gs.Display + gs.File);
        return gs.File is { } entry
            ? _context.Locate(entry, revision: null, File)
            : await _context.LocateInFolderAsync(gs.Display, revision: null, File, cancellationToken).ConfigureAwait(false);

        GcsObject File(string name) =>
            new(service, gs, name, pins.VersionOf(name) ?? (name == gs.File ? gs.Generation : null));
    }

    /// <summary>Nothing is held: the connections are the loader's.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // Made when it is first needed. Settings that are wrong are read again by the next load.
    private GcsService Service(string display)
    {
        lock (_lock)
        {
            return _service ??= new GcsService(_context, _options, Environment.GetEnvironmentVariable, display);
        }
    }
}
