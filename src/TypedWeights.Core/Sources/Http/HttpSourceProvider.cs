using System.Net;

namespace TypedWeights.Sources.Http;

/// <summary>
/// Files behind <c>http://</c> and <c>https://</c> URLs on servers that answer range requests. User info in a URL is sent as basic
/// authentication, to its own origin alone.
/// </summary>
public sealed class HttpSourceProvider : IWeightSourceProvider
{
    // What a folder may hold, in the order in which it is asked for.
    private static readonly string[] EntryNames =
    [
        "model.safetensors.index.json",
        "model.safetensors",
        "diffusion_pytorch_model.safetensors.index.json",
        "diffusion_pytorch_model.safetensors",
    ];

    private readonly HttpClient _client;

    /// <summary>Makes a provider with a connection pool of its own.</summary>
    public HttpSourceProvider()
        : this(CreateHandler())
    {
    }

    // For tests that bring certificates or proxies of their own.
    internal HttpSourceProvider(HttpMessageHandler handler)
    {
        _client = new HttpClient(handler, disposeHandler: true);
        _client.DefaultRequestHeaders.UserAgent.ParseAdd("TypedWeights");

        // A compressed body has other offsets than the file.
        _client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("identity");
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Schemes { get; } = ["http", "https"];

    /// <inheritdoc/>
    /// <remarks>A URL whose path ends with <c>/</c> is a folder: the usual names of an index and of a single file are tried in it.</remarks>
    public async ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(uri.Original, UriKind.Absolute, out Uri? address))
        {
            throw new WeightSourceException(uri.Display, "this is not a valid URL.");
        }

        if (!address.AbsolutePath.EndsWith('/'))
        {
            return new HttpLocation(_client, address, Uri.UnescapeDataString(address.Segments[^1]));
        }

        foreach (string name in EntryNames)
        {
            var location = new HttpLocation(_client, address, name);
            if (await location.ExistsAsync(cancellationToken).ConfigureAwait(false))
            {
                return location;
            }
        }

        throw new WeightSourceException(
            uri.Display, $"the folder holds none of {string.Join(", ", EntryNames)}; name the file or index itself.", isNotFound: true);
    }

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private static SocketsHttpHandler CreateHandler() => new()
    {
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(15),
        MaxAutomaticRedirections = 10,
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        UseCookies = false,
    };
}
