using TypedWeights.Sources.S3;
using TypedWeights.Sources.Stores;

[assembly: WeightSourceProvider<S3Provider>("s3")]

namespace TypedWeights.Sources.S3;

/// <summary>Objects of S3: <c>s3://bucket/key</c> names a file, an index, or a folder that holds one under a usual name.</summary>
/// <param name="context">The loader's connections and clock.</param>
/// <param name="options">Credentials, region, endpoint.</param>
public sealed class S3Provider(StoreContext context, S3Options options) : IRegisteredSource<S3Provider>
{
    private readonly SdkValue<S3Settings> _settings = new(
        new SdkGuard(context, "Amazon S3"), (guard, display) => Task.FromResult(new S3Settings(options, context, guard, display)));

    /// <inheritdoc/>
    public IReadOnlyList<string> Schemes { get; } = ["s3"];

    /// <inheritdoc/>
    public static S3Provider Create(StoreContext context) => new(context, new S3Options());

    /// <inheritdoc/>
    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken) =>
        LocateAsync(uri, WeightPins.None, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<IWeightLocation> LocateAsync(WeightUri uri, WeightPins pins, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(uri);
        ArgumentNullException.ThrowIfNull(pins);
        var s3 = S3Uri.Of(uri);
        S3Settings settings = await _settings.GetAsync(
            new SdkCall(s3.Display + s3.File, S3Profile.Of(options).Setting), cancellationToken).ConfigureAwait(false);
        var bucket = new S3Bucket(settings, s3);
        return await context.LocateAsync(s3.File, s3.Display, revision: null, File, cancellationToken).ConfigureAwait(false);

        S3File File(string name) => new(bucket, name)
        {
            Version = pins.VersionOf(name) ?? (name == s3.File ? s3.VersionId : null),
        };
    }
}
