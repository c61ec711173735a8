using TypedWeights.Caching;
using TypedWeights.Sources;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Opening;

/// <summary>The kinds of stores a loader or tool can reach, by scheme. Owns its providers.</summary>
internal sealed class SourceRegistry : IAsyncDisposable
{
    private readonly Dictionary<string, IWeightSourceProvider> _byScheme = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<IWeightSourceProvider> _providers;
    private readonly ProviderSet? _others;
    private readonly SourceAliases _aliases;

    /// <summary>Makes a registry of the given providers and no others.</summary>
    /// <param name="providers">Each serves its own schemes; disposed with the registry.</param>
    /// <exception cref="ArgumentException">Two providers serve one scheme.</exception>
    public SourceRegistry(params IEnumerable<IWeightSourceProvider> providers)
        : this(new TransferContext(), providers)
    {
    }

    /// <param name="context">What the transfers share.</param>
    /// <param name="providers">Those that were added.</param>
    /// <param name="others">Those that serve the schemes that are left; disposed with the registry.</param>
    /// <param name="aliases">Schemes that stand for a place; null for the environment's.</param>
    internal SourceRegistry(
        TransferContext context,
        IEnumerable<IWeightSourceProvider> providers,
        ProviderSet? others = null,
        SourceAliases? aliases = null)
    {
        Context = context;
        _aliases = aliases ?? SourceAliases.Environment;
        _others = others;
        _providers = [.. providers];
        foreach (IWeightSourceProvider provider in _providers)
        {
            foreach (string scheme in provider.Schemes)
            {
                if (!_byScheme.TryAdd(scheme, provider))
                {
                    throw new ArgumentException(
                        $"{_byScheme[scheme].GetType()} and {provider.GetType()} both serve {scheme}://; register one of them.",
                        nameof(providers));
                }
            }
        }
    }

    /// <summary>What all transfers through this registry share.</summary>
    internal TransferContext Context { get; }

    /// <summary>The schemes that can be reached, in ordinal order.</summary>
    public IReadOnlyList<string> Schemes => [.. _byScheme.Keys.Union(_others?.Schemes ?? []).Order(StringComparer.Ordinal)];

    /// <summary>Finds out what a URI names, by the provider of its scheme.</summary>
    /// <param name="uri">A path or URI.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">
    /// No provider serves the scheme (the message names the package to add), or there is nothing at the URI.
    /// </exception>
    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken) =>
        LocateAsync(uri, WeightPins.None, cancellationToken);

    /// <summary>Finds out what a URI names, as a snapshot recorded it.</summary>
    /// <param name="uri">A path or URI.</param>
    /// <param name="pins">What the snapshot recorded.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">As above.</exception>
    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, WeightPins pins, CancellationToken cancellationToken) =>
        LocateAsync(uri, pins, cache: null, Context, cancellationToken);

    /// <summary>
    /// As above; files of a remote location then come from a cache where it has them, and what is asked for is counted as a load's.
    /// </summary>
    internal async ValueTask<IWeightLocation> LocateAsync(
        WeightUri uri, WeightPins pins, CacheRun? cache, TransferContext context, CancellationToken cancellationToken)
    {
        WeightUri place = Resolve(uri);
        return ReferenceEquals(place, uri)
            ? await LocatePlaceAsync(place, pins, cache, context, cancellationToken).ConfigureAwait(false)
            : new AliasLocation(
                await AliasLocation.TellAsync(LocatePlaceAsync(place, pins, cache, context, cancellationToken), uri).ConfigureAwait(false), uri);
    }

    /// <summary>Where a URI leads by the aliases; the URI itself where its scheme is none.</summary>
    internal WeightUri Resolve(WeightUri uri) => _aliases.Resolve(uri, scheme => Schemes.Contains(scheme));

    /// <summary>Disposes the providers.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (IWeightSourceProvider provider in _providers)
        {
            await provider.DisposeAsync().ConfigureAwait(false);
        }

        if (_others is not null)
        {
            await _others.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask<IWeightLocation> LocatePlaceAsync(
        WeightUri place, WeightPins pins, CacheRun? cache, TransferContext context, CancellationToken cancellationToken)
    {
        IWeightSourceProvider provider = Find(place)
            ?? throw new WeightSourceException(place.Display, $"{Advice(place.Scheme)} Registered here: {string.Join(", ", Schemes)}.");
        ValueTask<IWeightLocation> location = cache is null
            ? ResilientLocation.LocateAsync(provider, place, pins, context, cancellationToken)
            : CachedLocation.LocateAsync(
                cache, place, pins, token => ResilientLocation.LocateAsync(provider, place, pins, context, token), cancellationToken);
        return await location.ConfigureAwait(false);
    }

    private IWeightSourceProvider? Find(WeightUri uri) =>
        _byScheme.TryGetValue(uri.Scheme, out IWeightSourceProvider? provider) ? provider : _others?.Find(uri);

    private static string Advice(string scheme) => StorePackages.For(scheme) is { } package
        ? $"{scheme}:// is served by the package {package}: add it (dotnet add package {package})."
        : $"nothing serves the scheme \"{scheme}\"; {SourceAliases.Unset(scheme)}.";
}
