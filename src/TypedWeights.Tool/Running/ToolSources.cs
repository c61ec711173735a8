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

    /// <param name="context">The command's: relative paths start in its folder, and warnings are written to it.</param>
    /// <param name="options">How bytes are read; null for the defaults.</param>
    /// <param name="folder">A second folder in which relative paths are looked up; may be null.</param>
    public ToolSources(ToolContext context, TransferOptions? options = null, string? folder = null)
    {
        string[] folders = folder is null ? [context.CurrentDirectory] : [context.CurrentDirectory, folder];
        _registry = new SourceRegistryBuilder { Folders = folders }.UseS3().UseGcs().UseAzureBlobs()
            .Build(new TransferContext(options ?? new TransferOptions()));
        Context.Noted += (source, message) => context.WriteWarning($"{source}: {message}");
    }

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
        IWeightLocation location = await LocateAsync(uri, cancellationToken);
        var budget = new HeaderBudget(MemoryBound.Of(null));
        return new OpenedCheckpoint(await CheckpointReader.ReadAsync(uri, location, budget, cancellationToken), location);
    }

    /// <summary>Resolves a URI to a location.</summary>
    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken)
    {
        string scheme = _registry.Resolve(uri).Scheme;
        return _registry.Schemes.Contains(scheme)
            ? _registry.LocateAsync(uri, cancellationToken)
            : throw new ToolException(
                ExitCodes.Unreachable,
                $"{uri.Display}: this tool reads {string.Join(", ", _registry.Schemes)}; {SourceAliases.Unset(scheme)}. "
                    + "Or download the files and give their path.",
                kind: SourceErrorKinds.UnknownScheme);
    }

    public ValueTask DisposeAsync() => _registry.DisposeAsync();
}

/// <summary>A checkpoint and its location.</summary>
/// <param name="Checkpoint">The opened files and their headers; disposed with this.</param>
/// <param name="Location">Where the files are.</param>
internal sealed record OpenedCheckpoint(Checkpoint Checkpoint, IWeightLocation Location) : IAsyncDisposable
{
    /// <summary>The single file, or the index.</summary>
    public string EntryName => Location.EntryName;

    /// <summary>Whether the entry is an index, of however many shards.</summary>
    public bool IsSharded => EntryName.EndsWith(".json", StringComparison.OrdinalIgnoreCase);

    /// <summary>Every tensor once, file by file in the order of its data.</summary>
    public IEnumerable<(CheckpointFile File, TensorInfo Tensor)> InDataOrder => Checkpoint.Files.SelectMany(
        (file, i) => file.Header.Tensors.Where(tensor => !IsSharded || Checkpoint.Tensors[tensor.Name].File == i)
            .Select(tensor => (file, tensor)));

    public ValueTask DisposeAsync() => Checkpoint.DisposeAsync();
}
