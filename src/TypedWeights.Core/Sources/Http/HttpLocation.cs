using System.Net.Http.Headers;
using System.Text;

namespace TypedWeights.Sources.Http;

/// <summary>A URL and the files beside it; a query (a shared access signature, say) goes along to each of them.</summary>
internal sealed class HttpLocation : IWeightLocation
{
    private readonly HttpClient _client;
    private readonly Uri _address;
    private readonly AuthenticationHeaderValue? _authorization;

    /// <param name="client">The pool to use.</param>
    /// <param name="address">The URL of the entry, or of its folder with a final <c>/</c>; may hold user info and a signature.</param>
    /// <param name="entryName">The entry's name.</param>
    public HttpLocation(HttpClient client, Uri address, string entryName)
    {
        _client = client;
        _address = new UriBuilder(address) { UserName = "", Password = "", Fragment = "" }.Uri;
        _authorization = address.UserInfo.Length == 0
            ? null
            : new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(address.UserInfo))));
        EntryName = entryName;
    }

    public string EntryName { get; }

    public string? Revision => null;

    public async ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken)
    {
        Uri address = Address(name);
        string display = WeightUri.Parse(address.AbsoluteUri).Display;
        return await HttpSource.OpenAsync(_client, address, _authorization, display, cancellationToken).ConfigureAwait(false);
    }

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
