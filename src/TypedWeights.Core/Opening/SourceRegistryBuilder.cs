using TypedWeights.Sources;
using TypedWeights.Sources.File;
using TypedWeights.Sources.HuggingFace;
using TypedWeights.Sources.Stores;
using TypedWeights.Sources.Urls;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Opening;

/// <summary>Collects the providers and aliases of a loader or of the tool, and adds the built-in and registered ones.</summary>
internal sealed class SourceRegistryBuilder : IWeightSourceBuilder
{
    private readonly List<Func<StoreContext, IWeightSourceProvider>> _added = [];
    private readonly Dictionary<string, string> _aliases = new(StringComparer.Ordinal);

    /// <summary>How servers are reached.</summary>
    public HttpOptions Http { get; set; } = new();

    /// <summary>Where relative paths are looked up after the current folder.</summary>
    public IReadOnlyList<string> Folders { get; set; } = [];

    public void AddSource(Func<StoreContext, IWeightSourceProvider> create)
    {
        ArgumentNullException.ThrowIfNull(create);
        _added.Add(create);
    }

    /// <summary>Makes a scheme an alias of a location.</summary>
    /// <exception cref="ArgumentException">The text is not a scheme.</exception>
    public void AddAlias(string scheme, string target)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(target);
        if (!WeightUri.TryParse(scheme + "://x", out WeightUri? uri, out _) || !uri.Scheme.Equals(scheme, StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException($"\"{scheme}\" is not a scheme: letters, digits and - . + after a first letter.", nameof(scheme));
        }

        _aliases[uri.Scheme] = target;
    }

    /// <exception cref="ArgumentException">Two of the added providers serve one scheme, or one serves the scheme of an alias.</exception>
    public SourceRegistry Build(TransferContext transfer)
    {
        var context = new StoreContext(Http, transfer.Time, transfer.Note);
        ProviderFactory[] builtIn =
        [
            new(typeof(FileProvider), ["file"], _ => new FileProvider(Folders)),
            new(typeof(UrlProvider), ["http", "https"], static context => new UrlProvider(context)),
            new(typeof(HuggingFaceProvider), ["hf"], static context => new HuggingFaceProvider(context, new HuggingFaceOptions())),
        ];
        var registry = new SourceRegistry(
            transfer, _added.Select(create => create(context)), (context, builtIn), new SourceAliases(_aliases));
        return _aliases.Keys.FirstOrDefault(registry.Schemes.Contains) is not { } served
            ? registry
            : throw new ArgumentException($"{served}:// is served by a store and cannot be an alias; choose another scheme.");
    }
}
