using TypedWeights.Sources.File;
using TypedWeights.Sources.Http;
using TypedWeights.Sources.Stores;
using TypedWeights.Streaming;

namespace TypedWeights.Sources;

/// <summary>Gathers the stores of a loader or of the tool: those that were added, and beside them the built-in and registered ones.</summary>
internal sealed class SourceRegistryBuilder : IWeightSourceBuilder
{
    private readonly List<Func<StoreContext, IWeightSourceProvider>> _added = [];

    /// <summary>How servers are reached.</summary>
    public HttpSourceOptions Http { get; set; } = new();

    /// <summary>Where relative paths are looked up after the current folder.</summary>
    public IReadOnlyList<string> Folders { get; set; } = [];

    public void AddSource(Func<StoreContext, IWeightSourceProvider> create)
    {
        ArgumentNullException.ThrowIfNull(create);
        _added.Add(create);
    }

    /// <exception cref="ArgumentException">Two of the added stores serve one scheme.</exception>
    public SourceRegistry Build(TransferContext transfer)
    {
        var context = new StoreContext(Http, transfer.Time);
        var own = new ProviderSet(context, BuiltIn());
        return new SourceRegistry(transfer, _added.Select(create => create(context)), own);
    }

    private SourceKind[] BuiltIn() =>
    [
        new(typeof(FileSourceProvider), ["file"], _ => new FileSourceProvider(Folders)),
        new(typeof(HttpSourceProvider), ["http", "https"], static context => new HttpSourceProvider(context)),
    ];
}
