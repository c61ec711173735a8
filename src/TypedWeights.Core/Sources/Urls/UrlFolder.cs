using TypedWeights.Sources.Http;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Urls;

/// <summary>A URL and the files beside it; a query (a shared access signature, say) goes along to each of them.</summary>
internal sealed class UrlFolder
{
    private readonly Uri _address;
    private readonly UrlCredentials _login;

    /// <param name="address">The URL of the entry, or of its folder with a final <c>/</c>; may hold user info and a signature.</param>
    /// <param name="options">The user's callbacks.</param>
    public UrlFolder(Uri address, HttpOptions options)
    {
        _address = ExactUri.WithoutLogin(address);
        _login = new UrlCredentials(UrlFile.Login(address), options);
        string name = address.AbsolutePath[(address.AbsolutePath.LastIndexOf('/') + 1)..];
        EntryName = name.Length == 0 ? null : Uri.UnescapeDataString(name);
    }

    /// <summary>The entry's name; null where the URL is a folder's.</summary>
    public string? EntryName { get; }

    public UrlFile File(string name) => new(Address(name), _login);

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
}
