using System.Net;
using System.Net.Http.Headers;

namespace TypedWeights.Sources.Urls;

/// <summary>
/// How requests to a URL and the files beside it are let in: by what the URL's user info stands for, or by the user's callbacks. When a request
/// is refused, the callback is asked once more, for all requests that were under way at that time.
/// </summary>
/// <param name="given">What the user info stood for; it comes before the callback.</param>
/// <param name="options">The user's callbacks.</param>
#pragma warning disable CA1001 // The semaphore has something to give back only when its wait handle is asked for.
internal sealed class UrlCredentials(AuthenticationHeaderValue? given, HttpOptions options)
#pragma warning restore CA1001
{
    // How often the callback had been asked after a refusal when the request was sent.
    private static readonly HttpRequestOptionsKey<int> RenewalsKey = new("TypedWeights.Renewals");

    private readonly SemaphoreSlim _renewing = new(1, 1);
    private AuthenticationHeaderValue? _renewed;
    private int _renewals;

    /// <param name="request">The request.</param>
    /// <param name="isAgain">Whether it repeats one that was refused: then it has what was asked for since.</param>
    /// <param name="cancellationToken">Ends the callback.</param>
    public ValueTask AuthorizeAsync(HttpRequestMessage request, bool isAgain, CancellationToken cancellationToken)
    {
        options.Headers?.Invoke(request.RequestUri!, request.Headers);
        if (given is not null)
        {
            request.Headers.Authorization = given;
            return default;
        }

        return options.Authorization is { } authorization ? AskAsync(authorization, request, isAgain, cancellationToken) : default;
    }

    /// <summary>Asks the callback once more, unless another request has had it asked since the refused one was sent.</summary>
    /// <returns>Whether the request is worth one more try.</returns>
    public async ValueTask<bool> RenewAsync(HttpResponseMessage refusal, CancellationToken cancellationToken)
    {
        if (refusal.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            || refusal.RequestMessage is not { RequestUri: { } address } refused)
        {
            return false;
        }

        if (given is not null || options.Authorization is not { } authorization)
        {
            // The headers may be a login too, and are asked for with every request.
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

    private async ValueTask AskAsync(
        Func<Uri, CancellationToken, ValueTask<AuthenticationHeaderValue?>> authorization,
        HttpRequestMessage request,
        bool isAgain,
        CancellationToken cancellationToken)
    {
        request.Options.Set(RenewalsKey, Volatile.Read(ref _renewals));
        AuthenticationHeaderValue? login = isAgain
            ? Volatile.Read(ref _renewed)
            : await authorization(request.RequestUri!, cancellationToken).ConfigureAwait(false);
        request.Headers.Authorization = login ?? request.Headers.Authorization;
    }
}
