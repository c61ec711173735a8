using TypedWeights.Checkpoints;
using TypedWeights.Errors;
using TypedWeights.Sources;
using TypedWeights.Sources.Given;

namespace TypedWeights.Loading;

/// <summary>A load as a value.</summary>
/// <param name="Source">What to load.</param>
/// <param name="Options">How it is loaded.</param>
/// <param name="Title">The name of the set in messages.</param>
/// <param name="Select">Checks a checkpoint and selects what is read of it.</param>
/// <param name="Progress">Is called with the progress; may be null.</param>
internal sealed record LoadRequest(
    LoadSource Source,
    CommonLoadOptions Options,
    string Title,
    Func<Checkpoint, TensorSelection> Select,
    IProgress<LoadProgress>? Progress)
{
    /// <summary>The source, as messages name it.</summary>
    public WeightUri Uri => Source.Uri;

    /// <summary>What the checkpoint is expected to be; null for an untyped load.</summary>
    public WeightManifest? Manifest { get; private init; }

    /// <summary>What the snapshot recorded and the load must get.</summary>
    public WeightPins Pins { get; private init; } = WeightPins.None;

    /// <summary>Returns the set before its tensors are ready; null for a load that returns when it is complete.</summary>
    public EarlyLoad? Early { get; init; }

    /// <summary>A load of tensors by name.</summary>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    public static LoadRequest OfTensors(LoadSource source, TensorLoadOptions? options, IProgress<LoadProgress>? progress)
    {
        options ??= new TensorLoadOptions();
        options.Validate();
        return new LoadRequest(
            source,
            options,
            source.Uri.Display,
            checkpoint => options.Filter is { } filter ? TensorSelection.Matching(checkpoint, filter) : TensorSelection.All(checkpoint),
            progress);
    }

    /// <summary>A load of a typed model.</summary>
    /// <param name="source">What to load; null for the source that the class names, at the revision that its snapshot recorded.</param>
    /// <param name="options">How it is loaded; null for the defaults.</param>
    /// <param name="progress">Is called with the progress; may be null.</param>
    /// <exception cref="ArgumentException">An option is not valid.</exception>
    /// <exception cref="WeightsException">The snapshot lacks the digests that the options require.</exception>
    public static LoadRequest OfModel<T>(LoadSource? source, LoadOptions? options, IProgress<LoadProgress>? progress)
        where T : class, IWeightModel<T>
    {
        options ??= new LoadOptions();
        options = options with { Placement = options.Placement ?? T.Placement };
        options.Validate();
        WeightManifest manifest = T.Manifest;
        if (options.Verify == Verification.Digests && manifest.Tensors.Any(static tensor => tensor.Sha256 is null))
        {
            string lack = manifest.HasDigests
                ? "no digest of " + Printable.Name(manifest.Tensors.First(static tensor => tensor.Sha256 is null).Name)
                : "no digests";
            throw new WeightsException(
                $"{typeof(T).Name} cannot be checked against digests, because its snapshot has {lack}: take the snapshot again with "
                    + $"typedweights snapshot {manifest.Source} --class {typeof(T).Name} --digest, and rebuild.");
        }

        return new LoadRequest(
            source ?? LoadSource.Of(manifest.Source),
            options,
            typeof(T).Name,
            checkpoint => ManifestCheck.Run(manifest, checkpoint, options.Unexpected),
            progress)
        {
            Manifest = manifest,
            Pins = source is null && options.Revision == WeightRevision.Recorded ? WeightPins.Of(manifest) : WeightPins.None,
        };
    }
}

/// <summary>What a load reads.</summary>
/// <param name="Uri">The source, as messages and log lines show it.</param>
/// <param name="Location">The file that the caller passed in; null for a URI, which a provider resolves.</param>
internal sealed record LoadSource(WeightUri Uri, IWeightLocation? Location = null)
{
    /// <exception cref="WeightsException">The text is neither a path nor a URI.</exception>
    public static LoadSource Of(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return WeightUri.TryParse(source, out WeightUri? uri, out string error) ? new LoadSource(uri) : throw new WeightsException(error);
    }

    /// <exception cref="ArgumentException">The stream cannot be read.</exception>
    public static LoadSource Of(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.CanRead
            ? Of(GivenLocation.Of(stream))
            : throw new ArgumentException("The stream cannot be read: it is closed, or was opened only for writing.", nameof(stream));
    }

    public static LoadSource Of(ReadOnlyMemory<byte> bytes) => Of(GivenLocation.Of(bytes));

    private static LoadSource Of(GivenLocation location) => new(WeightUri.Parse(location.EntryName), location);
}
