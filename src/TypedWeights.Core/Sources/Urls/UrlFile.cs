using System.Net.Http.Headers;
using System.Text;
using TypedWeights.Sources.Http;

namespace TypedWeights.Sources.Urls;

/// <summary>A file behind a URL: the URL's own login or the user's callbacks let it in.</summary>
internal sealed class UrlFile : StoreFile
{
    private readonly UrlCredentials _login;

    /// <param name="address">The URL without user info; it may hold a signature.</param>
    /// <param name="login">What lets requests in, the same for all files beside each other.</param>
    public UrlFile(Uri address, UrlCredentials login)
        : base(WeightUri.Parse(address.AbsoluteUri).Display)
    {
        Address = address;
        _login = login;
    }

    public override Uri Address { get; }

    /// <summary>The basic authentication that a URL's user info stands for, or null.</summary>
    public static AuthenticationHeaderValue? Login(Uri address) => address.UserInfo.Length == 0
        ? null
        : new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(UserAndPassword(address.UserInfo)))));

    protected internal override ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        _login.AuthorizeAsync(request, request.Options.TryGetValue(IsAgainKey, out _), cancellationToken);

    protected internal override ValueTask<bool> RenewAsync(HttpResponseMessage refusal, CancellationToken cancellationToken) =>
        _login.RenewAsync(refusal, cancellationToken);

    // A name alone, often a token, has an empty password: without the colon it is no login at all.
    private static string UserAndPassword(string userInfo) => userInfo.Contains(':', StringComparison.Ordinal) ? userInfo : userInfo + ":";
}
