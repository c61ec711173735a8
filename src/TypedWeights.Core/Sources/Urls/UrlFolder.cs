using System.Net.Http.Headers;
using System.Text;
using TypedWeights.Sources.Http;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Urls;

/// <summary>A URL and the files beside it. The query (a shared access signature, for example) is sent with each of them.</summary>
internal sealed class UrlFolder
{
    private readonly Uri _address;
    private readonly UrlCredentials _credentials;

    /// <param name="address">The URL of the entry, or of its folder with a final <c>/</c>; may have user info and a signature.</param>
    /// <param name="options">The user's callbacks.</param>
    public UrlFolder(Uri address, HttpOptions options)
    {
        _address = ExactUri.WithoutUserInfo(address);
        _credentials = new UrlCredentials(LoginOf(address), options);
        string name = address.AbsolutePath[(address.AbsolutePath.LastIndexOf('/') + 1)..];
        EntryName = name.Length == 0 ? null : Uri.UnescapeDataString(name);
    }

    /// <summary>The entry's name; null if the URL is that of a folder.</summary>
    public string? EntryName { get; }

    public StoreFile File(string name) => new UrlFile(Address(name), _credentials);

    private Uri Address(string name)
    {
        // The entry's own URL stays as it was given: a server may tell %2B from +.
        if (name == EntryName)
        {
            return _address;
        }

        string folder = _address.AbsolutePath[..(_address.AbsolutePath.LastIndexOf('/') + 1)];
        return ExactUri.With(_address, folder + StoreSetting.Escape(name) + _address.Query);
    }

    // Basic authentication with the user info of a URL. A name alone, often a token, has an empty password, but needs the colon.
    private static AuthenticationHeaderValue? LoginOf(Uri address)
    {
        string info = address.UserInfo + (address.UserInfo.Contains(':', StringComparison.Ordinal) ? "" : ":");
        return address.UserInfo.Length == 0
            ? null
            : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(info))));
    }

    private sealed class UrlFile(Uri address, UrlCredentials credentials) : StoreFile(WeightUri.Parse(address.AbsoluteUri).Display)
    {
        public override Uri Address => address;

        protected internal override ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            credentials.AuthorizeAsync(request, request.Options.TryGetValue(IsAgainKey, out _), cancellationToken);

        protected internal override ValueTask<bool> RenewAsync(HttpResponseMessage errorResponse, CancellationToken cancellationToken) =>
            credentials.RenewAsync(errorResponse, cancellationToken);
    }
}
