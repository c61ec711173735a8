using System.Net.Http.Headers;
using TypedWeights.Format;

namespace TypedWeights.Sources.Http;

/// <summary>A URL and the files beside it; a query (a shared access signature, say) goes along to each of them.</summary>
internal sealed class HttpLocation : IWeightLocation
{
    private readonly HttpChannel _channel;
    private readonly Uri _address;
    private readonly AuthenticationHeaderValue? _login;

    /// <param name="channel">The connections to use.</param>
    /// <param name="address">The URL of the entry, or of its folder with a final <c>/</c>; may hold user info and a signature.</param>
    /// <param name="entryName">The entry's name.</param>
    public HttpLocation(HttpChannel channel, Uri address, string entryName)
    {
        _channel = channel;
        _address = new UriBuilder(address) { UserName = "", Password = "", Fragment = "" }.Uri;
        _login = HttpChannel.Login(address);
        EntryName = entryName;
    }

    public string EntryName { get; }

    public string? Revision => null;

    public ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) =>
        OpenAsync(name, HeaderPrefix.Size, cancellationToken);

    public ValueTask<IWeightSource> OpenAsync(string name, int firstBytes, CancellationToken cancellationToken) =>
        HttpSource.OpenAsync(Target(name), Math.Max(firstBytes, HeaderPrefix.Size), cancellationToken);

    public IWeightSource OpenAhead(string name, long expectedLength) => HttpSource.OpenAhead(Target(name), expectedLength);

    public async ValueTask<bool> ExistsAsync(CancellationToken cancellationToken)
    {
        try
        {
            IWeightSource source = await OpenAsync(EntryName, cancellationToken).ConfigureAwait(false);
            await source.DisposeAsync().ConfigureAwait(false);
            return true;
        }
        catch (WeightSourceException e) when (e.IsNotFound)
        {
            return false;
        }
    }

    private HttpTarget Target(string name) => new(_channel, Address(name), _login);

    private Uri Address(string name)
    {
        // The entry's own URL stays as it was given: a server may tell %2B from +.
        if (name == EntryName && !_address.AbsolutePath.EndsWith('/'))
        {
            return _address;
        }

        string escaped = string.Join('/', name.Split('/').Select(Uri.EscapeDataString));
        string folder = _address.AbsolutePath[..(_address.AbsolutePath.LastIndexOf('/') + 1)];
        return new UriBuilder(_address) { Path = folder + escaped }.Uri;
    }
}
