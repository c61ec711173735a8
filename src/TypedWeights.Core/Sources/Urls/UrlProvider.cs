using TypedWeights.Sources.Http;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Urls;

/// <summary>
/// Files at <c>http://</c> and <c>https://</c> URLs on servers that support range requests. User info in a URL is sent as basic
/// authentication, only to its own origin.
/// </summary>
public sealed class UrlProvider : IWeightSourceProvider
{
    private readonly StoreContext _context;
    private readonly bool _ownsContext;

    /// <summary>Makes a provider with its own connection pool.</summary>
    public UrlProvider()
        : this(new HttpOptions())
    {
    }

    /// <summary>Makes a provider with its own connection pool.</summary>
    /// <param name="options">Credentials, headers, proxies, certificates.</param>
    /// <exception cref="ArgumentException">One of the values is out of its range.</exception>
    public UrlProvider(HttpOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _context = new StoreContext(options);
        _ownsContext = true;
    }

    /// <summary>Makes a provider that uses a loader's connections and options: for a store that serves some URLs and leaves the others.</summary>
    /// <param name="context">The loader's connections, which stay open when the provider is disposed.</param>
    public UrlProvider(StoreContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _context = context;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Schemes { get; } = ["http", "https"];

    /// <inheritdoc/>
    /// <remarks>
    /// A URL whose path ends with <c>/</c> is a folder: the usual names of an index and of a single file are tried in it.
    /// </remarks>
    public async ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken)
    {
        if (ExactUri.Read(uri.Original) is not { } address)
        {
            throw new WeightSourceException(uri.Display, "this is not a valid URL.");
        }

        var folder = new UrlFolder(address, _context.HttpOptions);
        return await _context.LocateAsync(folder.EntryName, uri.Display, revision: null, folder.File, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Closes the provider's own connections.</summary>
    public ValueTask DisposeAsync()
    {
        if (_ownsContext)
        {
            _context.Dispose();
        }

        return ValueTask.CompletedTask;
    }
}
