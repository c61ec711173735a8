using System.Net;
using System.Net.Http.Headers;

namespace TypedWeights.Sources.Urls;

/// <summary>
/// The credentials of requests to a URL and the files beside it: the user info of the URL, or the user's callbacks. After an error response the
/// callback is called once more, for all requests that were sent before.
/// </summary>
/// <param name="given">The credentials in the user info of the URL, which replace the callback.</param>
/// <param name="options">The user's callbacks.</param>
#pragma warning disable CA1001 // The semaphore holds nothing to dispose unless its wait handle is used.
internal sealed class UrlCredentials(AuthenticationHeaderValue? given, HttpOptions options)
#pragma warning restore CA1001
{
    // How often the credentials had been renewed when the request was sent.
    private static readonly HttpRequestOptionsKey<int> RenewalsKey = new("TypedWeights.Renewals");

    private readonly SemaphoreSlim _renewing = new(1, 1);
    private AuthenticationHeaderValue? _renewed;
    private int _renewals;

    /// <param name="request">The request.</param>
    /// <param name="isAgain">Whether the request is repeated after an error response: then it gets the renewed credentials.</param>
    /// <param name="cancellationToken">Ends the callback.</param>
    public async ValueTask AuthorizeAsync(HttpRequestMessage request, bool isAgain, CancellationToken cancellationToken)
    {
        options.Headers?.Invoke(request.RequestUri!, request.Headers);
        if (given is not null)
        {
            request.Headers.Authorization = given;
        }
        else if (options.Authorization is { } authorization)
        {
            request.Options.Set(RenewalsKey, Volatile.Read(ref _renewals));
            AuthenticationHeaderValue? credentials = isAgain
                ? Volatile.Read(ref _renewed)
                : await authorization(request.RequestUri!, cancellationToken).ConfigureAwait(false);
            request.Headers.Authorization = credentials ?? request.Headers.Authorization;
        }
    }

    /// <summary>Calls the callback once more, unless that has happened since the request was sent.</summary>
    /// <returns>Whether the request is worth another attempt.</returns>
    public async ValueTask<bool> RenewAsync(HttpResponseMessage errorResponse, CancellationToken cancellationToken)
    {
        if (errorResponse.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            || errorResponse.RequestMessage is not { RequestUri: { } address } refused)
        {
            return false;
        }

        if (given is not null || options.Authorization is not { } authorization)
        {
            // The callback for headers may add credentials, too, and is called for every request.
            return options.Headers is not null;
        }

        await _renewing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (refused.Options.TryGetValue(RenewalsKey, out int before) && before == _renewals)
            {
                _renewed = await authorization(address, cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref _renewals, before + 1);
            }

            return _renewed is not null || refused.Headers.Authorization is not null;
        }
        finally
        {
            _renewing.Release();
        }
    }
}
