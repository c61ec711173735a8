using TypedWeights.Caching;
using TypedWeights.Streaming;
using TypedWeights.Streaming.Retry;

namespace TypedWeights.Sources;

/// <summary>The kinds of stores a loader or tool can reach, by scheme. Owns its providers.</summary>
public sealed class SourceRegistry : IAsyncDisposable
{
    // Where to get what is not registered; null where no package serves it yet.
    private static readonly Dictionary<string, string?> KnownSchemes = new(StringComparer.Ordinal)
    {
        ["s3"] = "TypedWeights.S3",
        ["gs"] = "TypedWeights.Gcs",
        ["az"] = "TypedWeights.AzureBlobs",
        ["hf"] = null,
        ["anyscale"] = null,
    };

    private readonly Dictionary<string, IWeightSourceProvider> _byScheme = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<IWeightSourceProvider> _providers;

    /// <summary>Makes a registry of the given providers.</summary>
    /// <param name="providers">Each serves its own schemes; disposed with the registry.</param>
    /// <exception cref="ArgumentException">Two providers serve one scheme.</exception>
    public SourceRegistry(params IEnumerable<IWeightSourceProvider> providers)
        : this(new TransferContext(), providers)
    {
    }

    internal SourceRegistry(TransferContext context, IEnumerable<IWeightSourceProvider> providers)
    {
        Context = context;
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
    public IReadOnlyList<string> Schemes => [.. _byScheme.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Finds out what a URI names, by the provider of its scheme.</summary>
    /// <param name="uri">A path or URI.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">
    /// No provider serves the scheme (the message names the package to add), or there is nothing at the URI.
    /// </exception>
    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken) =>
        LocateAsync(uri, cache: null, cancellationToken);

    /// <summary>As above; files of a remote location then come from a cache where it has them.</summary>
    internal ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CacheRun? cache, CancellationToken cancellationToken)
    {
        if (_byScheme.TryGetValue(uri.Scheme, out IWeightSourceProvider? provider))
        {
            return cache is null
                ? ResilientLocation.LocateAsync(provider, uri, Context, cancellationToken)
                : CachedLocation.LocateAsync(
                    cache, uri, token => ResilientLocation.LocateAsync(provider, uri, Context, token), cancellationToken);
        }

        throw new WeightSourceException(uri.Display, $"{Advice(uri.Scheme)} Registered here: {string.Join(", ", Schemes)}.");
    }

    /// <summary>Disposes the providers.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (IWeightSourceProvider provider in _providers)
        {
            await provider.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The package that serves a scheme, if there is one.</summary>
    internal static string? PackageFor(string scheme) => KnownSchemes.GetValueOrDefault(scheme);

    private static string Advice(string scheme) => KnownSchemes.TryGetValue(scheme, out string? package)
        ? package is null
            ? $"{scheme}:// is not supported in this version; download the files and give their path."
            : $"{scheme}:// is served by the package {package}; add it and register its provider."
        : $"nothing serves the scheme \"{scheme}\".";
}
