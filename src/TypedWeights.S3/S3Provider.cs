using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.S3;

/// <summary>Objects of S3: <c>s3://bucket/key</c> names a file, an index, or a folder that holds one under a usual name.</summary>
public sealed class S3Provider : IRegisteredSource<S3Provider>
{
    private readonly StoreContext _context;
    private readonly S3Options _options;
    private readonly SdkGuard _guard;
    private S3Access? _access;

    /// <summary>Makes the provider.</summary>
    /// <param name="context">The loader's connections and clock.</param>
    /// <param name="options">Credentials, region, endpoint.</param>
    public S3Provider(StoreContext context, S3Options options)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(options);
        _context = context;
        _options = options;
        _guard = new SdkGuard(context, "Amazon S3");
    }

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
        S3Access access = await AccessAsync(s3.Display + s3.File, cancellationToken).ConfigureAwait(false);
        var bucket = new S3Bucket(access.Settings, access.Guard, s3);
        return s3.File is { } name
            ? _context.Locate(name, revision: null, File)
            : await _context.LocateInFolderAsync(s3.Display, revision: null, File, cancellationToken).ConfigureAwait(false);

        S3File File(string name) => new(access, bucket, s3, name)
        {
            Version = pins.VersionOf(name) ?? (name == s3.File ? s3.VersionId : null),
        };
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // Made when it is first needed: the SDK reads its files then. Settings that are wrong are read again by the next load.
    private async ValueTask<S3Access> AccessAsync(string display, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _access) is { } known)
        {
            return known;
        }

        S3Access made = await _guard.CallAsync(
            new SdkCall(display, S3Profile.Of(_options).Setting),
            _ => Task.FromResult(new S3Access(
                new S3Settings(_options, _context, _guard, display),
                new S3Credentials(_options, _guard),
                new S3Clock(_context.Time),
                _guard)),
            cancellationToken).ConfigureAwait(false);
        return Interlocked.CompareExchange(ref _access, made, null) ?? made;
    }
}
