using TypedWeights.Checkpoints;
using TypedWeights.Memory;
using TypedWeights.Opening;
using TypedWeights.Sources;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tool.Running;

/// <summary>The stores the tool can reach. A new scheme is one <c>UseX</c> here.</summary>
internal sealed class ToolSources : IAsyncDisposable
{
    /// <summary>What a URI may be, for help pages.</summary>
    public const string UriForms = "a path, az://, file://, gs://, hf://, http://, https:// or s3://";

    private readonly SourceRegistry _registry;

    /// <param name="context">The command's, to which warnings are written.</param>
    /// <param name="folders">Where relative paths start, in the order in which they are tried.</param>
    public ToolSources(ToolContext context, params IEnumerable<string> folders)
        : this(context, new TransferOptions(), folders)
    {
    }

    /// <param name="context">As above.</param>
    /// <param name="options">How bytes are fetched.</param>
    /// <param name="folders">As above.</param>
    public ToolSources(ToolContext context, TransferOptions options, params IEnumerable<string> folders)
        : this(options, folders) => Context.Noted += (source, message) => context.WriteWarning($"{source}: {message}");

    /// <param name="options">How bytes are fetched.</param>
    /// <param name="folders">As above.</param>
    public ToolSources(TransferOptions options, params IEnumerable<string> folders) =>
        _registry = new SourceRegistryBuilder { Folders = [.. folders] }.UseS3().UseGcs().UseAzureBlobs().Build(new TransferContext(options));

    /// <summary>What all transfers of the command share: options and counts.</summary>
    public TransferContext Context => _registry.Context;

    /// <summary>Reads a path or URI of a command line or snapshot.</summary>
    /// <exception cref="ToolException">It is neither; its text may hold a password and is not repeated.</exception>
    public static WeightUri Parse(string text) => WeightUri.TryParse(text, out WeightUri? uri, out string error)
        ? uri
        : throw new ToolException(ExitCodes.Usage, error, kind: SourceErrorKinds.InvalidUri);

    /// <summary>Opens a checkpoint and reads its headers.</summary>
    public async Task<OpenedCheckpoint> OpenAsync(WeightUri uri, CancellationToken cancellationToken)
    {
        IWeightLocation location = await LocateAsync(uri, cancellationToken).ConfigureAwait(false);
        var budget = new HeaderBudget(MemoryBound.Of(null));
        return new OpenedCheckpoint(await CheckpointReader.ReadAsync(uri, location, budget, cancellationToken).ConfigureAwait(false), location);
    }

    /// <summary>Finds out what a URI names.</summary>
    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken)
    {
        string scheme = _registry.Resolve(uri).Scheme;
        if (!_registry.Schemes.Contains(scheme))
        {
            throw new ToolException(
                ExitCodes.Unreachable,
                $"{uri.Display}: this tool reads {string.Join(", ", _registry.Schemes)}; {SourceAliases.Unset(scheme)}. "
                    + "Otherwise download the files and give their path.",
                kind: SourceErrorKinds.UnknownScheme);
        }

        return _registry.LocateAsync(uri, cancellationToken);
    }

    public ValueTask DisposeAsync() => _registry.DisposeAsync();
}
