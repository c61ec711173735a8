using System.Collections.Concurrent;
using TypedWeights.Caching;
using TypedWeights.Sources;
using TypedWeights.Sources.Stores;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Opening;

/// <summary>The providers of a loader or of the tool, by scheme. Owns them.</summary>
internal sealed class SourceRegistry : IAsyncDisposable
{
    private readonly Dictionary<string, IWeightSourceProvider> _added = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Type, Lazy<IWeightSourceProvider>> _created = new();
    private readonly (StoreContext Context, IReadOnlyList<ProviderFactory> BuiltIn)? _others;
    private readonly SourceAliases _aliases;

    /// <param name="context">What the transfers share.</param>
    /// <param name="providers">The providers that were added.</param>
    /// <param name="others">
    /// The library's own providers, for schemes that neither an added nor a registered provider serves, and the connections of both, which are
    /// disposed with the registry; null for none. Each is created when one of its schemes is met, so that an unused store costs nothing.
    /// </param>
    /// <param name="aliases">The aliases; null for those of the environment.</param>
    /// <exception cref="ArgumentException">Two of the added providers serve one scheme.</exception>
    public SourceRegistry(
        TransferContext context,
        IEnumerable<IWeightSourceProvider> providers,
        (StoreContext Context, IReadOnlyList<ProviderFactory> BuiltIn)? others = null,
        SourceAliases? aliases = null)
    {
        Context = context;
        _aliases = aliases ?? new SourceAliases(new Dictionary<string, string>());
        _others = others;
        foreach (IWeightSourceProvider provider in providers)
        {
            foreach (string scheme in provider.Schemes)
            {
                if (!_added.TryAdd(scheme, provider))
                {
                    throw new ArgumentException(
                        $"{_added[scheme].GetType()} and {provider.GetType()} both serve {scheme}://; register one of them.",
                        nameof(providers));
                }
            }
        }
    }

    /// <summary>What all transfers through this registry share.</summary>
    public TransferContext Context { get; }

    /// <summary>The schemes that a provider serves, in ordinal order.</summary>
    public IReadOnlyList<string> Schemes => [.. _added.Keys
        .Union(_others is { } others ? RegisteredSources.All.Concat(others.BuiltIn).SelectMany(static other => other.Schemes) : [])
        .Order(StringComparer.Ordinal)];

    /// <summary>Finds out what a URI names, by the provider of its scheme.</summary>
    /// <exception cref="WeightSourceException">
    /// No provider serves the scheme (the message names the package to add), or there is nothing at the URI.
    /// </exception>
    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken) =>
        LocateAsync(uri, WeightPins.None, cache: null, Context, cancellationToken);

    /// <summary>
    /// Finds the location of a URI at the revision and versions that a snapshot recorded. Files of a remote location are read from a cache if it
    /// has them, and requests count as those of a load.
    /// </summary>
    public async ValueTask<IWeightLocation> LocateAsync(
        WeightUri uri, WeightPins pins, CacheRun? cache, TransferContext context, CancellationToken cancellationToken)
    {
        WeightUri target = Resolve(uri);
        return ReferenceEquals(target, uri)
            ? await LocateTargetAsync(target, pins, cache, context, cancellationToken).ConfigureAwait(false)
            : new AliasLocation(
                await AliasLocation.NameAsync(LocateTargetAsync(target, pins, cache, context, cancellationToken), uri).ConfigureAwait(false), uri);
    }

    /// <summary>Where a URI leads by the aliases; the URI itself if its scheme is not an alias.</summary>
    public WeightUri Resolve(WeightUri uri) => _aliases.Resolve(uri, Schemes.Contains);

    public async ValueTask DisposeAsync()
    {
        IEnumerable<IWeightSourceProvider> created = _created.Values.Where(static other => other.IsValueCreated).Select(static other => other.Value);
        foreach (IWeightSourceProvider provider in _added.Values.Distinct().Concat(created))
        {
            await provider.DisposeAsync().ConfigureAwait(false);
        }

        _others?.Context.Dispose();
    }

    private async ValueTask<IWeightLocation> LocateTargetAsync(
        WeightUri target, WeightPins pins, CacheRun? cache, TransferContext context, CancellationToken cancellationToken)
    {
        IWeightSourceProvider provider = Find(target)
            ?? throw new WeightSourceException(target.Display, $"{Advice(target.Scheme)} Registered here: {string.Join(", ", Schemes)}.");
        ValueTask<IWeightLocation> location = cache is null
            ? ResilientLocation.LocateAsync(provider, target, pins, context, cancellationToken)
            : CachedLocation.LocateAsync(
                cache, target, pins, token => ResilientLocation.LocateAsync(provider, target, pins, context, token), cancellationToken);
        return await location.ConfigureAwait(false);
    }

    private IWeightSourceProvider? Find(WeightUri uri)
    {
        if (_added.TryGetValue(uri.Scheme, out IWeightSourceProvider? added) || _others is not { } others)
        {
            return added;
        }

        ProviderFactory[] registered = [.. RegisteredSources.All.Where(other => other.Schemes.Contains(uri.Scheme))];
        if (registered.Length > 1)
        {
            throw new WeightSourceException(
                uri.Display,
                $"{string.Join(" and ", registered.Select(static other => other.Type))} both serve {uri.Scheme}://; "
                    + "reference one of their packages, or add the one you mean to the loader's builder.");
        }

        ProviderFactory? found = registered.Concat(others.BuiltIn).FirstOrDefault(other => other.Schemes.Contains(uri.Scheme));
        return found is null
            ? null
            : _created.GetOrAdd(found.Type, _ => new Lazy<IWeightSourceProvider>(() => found.Create(others.Context))).Value;
    }

    private static string Advice(string scheme) => StorePackages.For(scheme) is { } package
        ? $"{scheme}:// is served by the package {package}: add it (dotnet add package {package})."
        : $"nothing serves the scheme \"{scheme}\"; {SourceAliases.Unset(scheme)}.";
}
