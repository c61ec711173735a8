using TypedWeights.Sources.Gcs;
using TypedWeights.Sources.Stores;

[assembly: WeightSourceProvider<GcsProvider>("gs")]

namespace TypedWeights.Sources.Gcs;

/// <summary>Objects of Google Cloud Storage: <c>gs://bucket/object[#generation]</c>.</summary>
/// <remarks>
/// The object's name is taken as it is, nothing in it is escaped. What does not end with <c>.safetensors</c> or <c>.json</c> is a folder, in
/// which the usual names are tried.
/// </remarks>
/// <param name="context">The loader's connections and clock.</param>
/// <param name="options">Credentials and address.</param>
public sealed class GcsProvider(StoreContext context, GcsOptions options) : IRegisteredSource<GcsProvider>
{
    private readonly SdkValue<GcsCredentials> _credentials = new(
        new SdkGuard(context, "Google Cloud Storage"),
        async (guard, _) => new GcsCredentials(await GcsClient.GetAsync(context, options).ConfigureAwait(false), guard));

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
        GcsCredentials credentials = await _credentials.GetAsync(
            GcsClient.Call(gs.Display + gs.File, options), cancellationToken).ConfigureAwait(false);
        return await context.LocateAsync(gs.File, gs.Display, revision: null, File, cancellationToken).ConfigureAwait(false);

        GcsFile File(string name) =>
            new(credentials, gs, name, pins.VersionOf(name) ?? (name == gs.File ? gs.Generation : null));
    }
}
