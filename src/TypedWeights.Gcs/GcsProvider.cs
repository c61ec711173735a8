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
    private readonly SdkGuard _guard;
    private readonly Lock _lock = new();
    private Task<GcsLogin>? _login;

    internal GcsProvider(StoreContext context, GcsOptions options)
    {
        _context = context;
        _options = options;
        _guard = new SdkGuard(context, "Google Cloud Storage");
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
        GcsLogin login = await LoginAsync(gs.Display + gs.File, cancellationToken).ConfigureAwait(false);
        return gs.File is { } entry
            ? _context.Locate(entry, revision: null, File)
            : await _context.LocateInFolderAsync(gs.Display, revision: null, File, cancellationToken).ConfigureAwait(false);

        GcsFile File(string name) =>
            new(login, gs, name, pins.VersionOf(name) ?? (name == gs.File ? gs.Generation : null));
    }

    /// <summary>Nothing is held: the connections are the loader's.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async ValueTask<GcsLogin> LoginAsync(string display, CancellationToken cancellationToken) =>
        Volatile.Read(ref _login) is { IsCompletedSuccessfully: true } login
            ? login.Result
            : await _guard.CallAsync(GcsClient.Call(display, _options), _ => Login(), cancellationToken).ConfigureAwait(false);

    // One search for all who wait, whoever of them gives up. Settings that are wrong are read again by the next load.
    private Task<GcsLogin> Login()
    {
        lock (_lock)
        {
            return _login = _login is null or { IsFaulted: true }
                ? Task.Run(async () => new GcsLogin(await GcsClient.GetAsync(_context, _options).ConfigureAwait(false), _guard))
                : _login;
        }
    }
}
