using System.Net.Http.Headers;
using System.Text;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Http;

/// <summary>A file behind a URL: the URL's own login or the user's callbacks let it in.</summary>
internal sealed class UrlFile : StoreFile
{
    private readonly HttpSourceOptions _options;
    private readonly AuthenticationHeaderValue? _login;

    /// <param name="address">The URL without user info; it may hold a signature.</param>
    /// <param name="login">What its user info stood for; it comes before the callback.</param>
    /// <param name="options">The user's callbacks.</param>
    public UrlFile(Uri address, AuthenticationHeaderValue? login, HttpSourceOptions options)
        : base(WeightUri.Parse(address.AbsoluteUri).Display)
    {
        Address = address;
        _login = login;
        _options = options;
    }

    public override Uri Address { get; }

    /// <summary>The basic authentication that a URL's user info stands for, or null.</summary>
    public static AuthenticationHeaderValue? Login(Uri address) => address.UserInfo.Length == 0
        ? null
        : new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(UserAndPassword(address.UserInfo)))));

    protected internal override ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        _options.Headers?.Invoke(request.RequestUri!, request.Headers);
        if (_login is not null)
        {
            request.Headers.Authorization = _login;
            return default;
        }

        return _options.Authorization is { } authorization
            ? AuthorizeAsync(authorization, request, cancellationToken)
            : default;
    }

    // A name alone, often a token, has an empty password: without the colon it is no login at all.
    private static string UserAndPassword(string userInfo) => userInfo.Contains(':', StringComparison.Ordinal) ? userInfo : userInfo + ":";

    private static async ValueTask AuthorizeAsync(
        Func<Uri, CancellationToken, ValueTask<AuthenticationHeaderValue?>> authorization,
        HttpRequestMessage request,
        CancellationToken cancellationToken) => request.Headers.Authorization =
            await authorization(request.RequestUri!, cancellationToken).ConfigureAwait(false) ?? request.Headers.Authorization;
}
