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

    private readonly HttpChannel _channel;

    /// <summary>Makes a provider with a connection pool of its own.</summary>
    public HttpSourceProvider()
        : this(new HttpSourceOptions())
    {
    }

    /// <summary>Makes a provider with a connection pool of its own.</summary>
    /// <param name="options">Logins, headers, proxies, certificates.</param>
    /// <exception cref="ArgumentException">One of the values is out of its range.</exception>
    public HttpSourceProvider(HttpSourceOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _channel = new HttpChannel(options);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Schemes { get; } = ["http", "https"];

    /// <inheritdoc/>
    /// <remarks>
    /// A URL whose path ends with <c>/</c> is a folder: the usual names of an index and of a single file are tried in it.
    /// </remarks>
    public async ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(uri.Original, UriKind.Absolute, out Uri? address))
        {
            throw new WeightSourceException(uri.Display, "this is not a valid URL.");
        }

        if (!address.AbsolutePath.EndsWith('/'))
        {
            return new HttpLocation(_channel, address, Uri.UnescapeDataString(address.Segments[^1]));
        }

        foreach (string name in EntryNames)
        {
            var location = new HttpLocation(_channel, address, name);
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
        _channel.Dispose();
        return ValueTask.CompletedTask;
    }
}
