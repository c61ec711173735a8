using System.Net;
using System.Net.Http.Headers;

namespace TypedWeights.Sources.Http;

/// <summary>
/// Where the requests for one file go: the address that was given, and the one that redirects led to from there. That one is kept until
/// it fails in a way in which a signed URL does when its time is over; then the given one is asked again, by one request for all.
/// </summary>
#pragma warning disable CA1001 // The semaphore has something to give back only when its wait handle is asked for.
internal sealed class HttpTarget
#pragma warning restore CA1001
{
    private const int HopLimit = 10;

    private readonly HttpChannel _channel;
    private readonly AuthenticationHeaderValue? _login;
    private readonly Route _given;
    private readonly SemaphoreSlim _resolving = new(1, 1);
    private Route _route;

    /// <param name="channel">The connections.</param>
    /// <param name="address">The address that was given, without user info.</param>
    /// <param name="login">What its user info stood for; it stays with this origin.</param>
    public HttpTarget(HttpChannel channel, Uri address, AuthenticationHeaderValue? login)
    {
        _channel = channel;
        _login = login;
        _given = new Route(address, IsOwn: true, IsRedirected: false);
        _route = _given;
        Display = WeightUri.Parse(address.AbsoluteUri).Display;
    }

    /// <summary>The given address as it may be shown. Those that redirects lead to are shown nowhere.</summary>
    public string Display { get; }

    /// <summary>Whether an answer came from another origin than the given one.</summary>
    public bool IsElsewhere(HttpResponseMessage answer) =>
        answer.RequestMessage?.RequestUri is { } address && !IsSameOrigin(address, _given.Address);

    /// <summary>Sends a request to the file.</summary>
    /// <param name="ask">What for.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>An answer that is no redirect; its body has not been read.</returns>
    /// <exception cref="WeightSourceException">No answer came, or the redirects lead nowhere.</exception>
    public async ValueTask<HttpResponseMessage> SendAsync(HttpAsk ask, CancellationToken cancellationToken)
    {
        Route route = Volatile.Read(ref _route);
        HttpResponseMessage answer = await SendAsync(route, ask, cancellationToken).ConfigureAwait(false);
        return IsRedirect(answer) || (route.IsRedirected && MayHaveExpired(answer))
            ? await ResolveAsync(route, answer, ask, cancellationToken).ConfigureAwait(false)
            : answer;
    }

    private async ValueTask<HttpResponseMessage> ResolveAsync(
        Route stale, HttpResponseMessage answer, HttpAsk ask, CancellationToken cancellationToken)
    {
        Route fresh;
        using (stale.IsRedirected ? answer : null)
        {
            try
            {
                await _resolving.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                // Its body may still be coming, over a connection that nobody else would close.
                answer.Dispose();
                throw;
            }

            try
            {
                fresh = Volatile.Read(ref _route);
                if (ReferenceEquals(fresh, stale))
                {
                    HttpResponseMessage first = stale.IsRedirected
                        ? await SendAsync(_given, ask with { IfMatch = null }, cancellationToken).ConfigureAwait(false)
                        : answer;
                    return await FollowAsync(_given, first, ask, cancellationToken).ConfigureAwait(false);
                }
            }
            finally
            {
                _resolving.Release();
            }
        }

        // Another request has resolved it meanwhile.
        answer.Dispose();
        HttpResponseMessage second = await SendAsync(fresh, ask, cancellationToken).ConfigureAwait(false);
        return await FollowAsync(fresh, second, ask, cancellationToken).ConfigureAwait(false);
    }

    // No If-Match on the way: an address that only redirects may have tags of its own. The answer's are compared all the same.
    private async ValueTask<HttpResponseMessage> FollowAsync(
        Route route, HttpResponseMessage answer, HttpAsk ask, CancellationToken cancellationToken)
    {
        var seen = new HashSet<Uri> { route.Address };
        while (IsRedirect(answer))
        {
            using (answer)
            {
                route = Next(route, answer);
            }

            if (seen.Count > HopLimit || !seen.Add(route.Address))
            {
                throw new WeightSourceException(
                    Display,
                    seen.Count > HopLimit ? $"the server redirects more than {HopLimit} times." : "the server redirects in a circle.");
            }

            answer = await SendAsync(route, ask with { IfMatch = null }, cancellationToken).ConfigureAwait(false);
        }

        // An address that has no answer now may not be the last one of the chain.
        if ((int)answer.StatusCode < 500)
        {
            Volatile.Write(ref _route, route);
        }

        return answer;
    }

    private async ValueTask<HttpResponseMessage> SendAsync(Route route, HttpAsk ask, CancellationToken cancellationToken)
    {
        try
        {
            return await _channel.SendAsync(route.Address, ask, route.IsOwn, _login, Display, cancellationToken).ConfigureAwait(false);
        }
        catch (WeightSourceException) when (route.IsRedirected)
        {
            // A host that was chosen by a redirect is gone, perhaps for good: the next attempt asks for another.
            Interlocked.CompareExchange(ref _route, _given, route);
            throw;
        }
    }

    private Route Next(Route from, HttpResponseMessage answer)
    {
        if (answer.Headers.Location is not { } location || !Uri.TryCreate(from.Address, location, out Uri? next))
        {
            throw new WeightSourceException(Display, $"the server redirects ({(int)answer.StatusCode}) without a valid Location.");
        }

        if (next.Scheme != Uri.UriSchemeHttps && (next.Scheme != Uri.UriSchemeHttp || from.Address.Scheme == Uri.UriSchemeHttps))
        {
            throw new WeightSourceException(
                Display, $"the server redirects from {from.Address.Scheme} to {next.Scheme}, which is not followed.");
        }

        // Once it has left its origin, a chain that comes back to it brings no login there: somebody else chose the address.
        next = new UriBuilder(next) { UserName = "", Password = "", Fragment = "" }.Uri;
        return new Route(next, from.IsOwn && IsSameOrigin(from.Address, next), IsRedirected: true);
    }

    private static bool IsRedirect(HttpResponseMessage answer) => answer.StatusCode
        is HttpStatusCode.MovedPermanently
        or HttpStatusCode.Found
        or HttpStatusCode.SeeOther
        or HttpStatusCode.TemporaryRedirect
        or HttpStatusCode.PermanentRedirect;

    // Azure, CloudFront and S3 answer 403, S3 with a session's token 400, some CDNs 401, and links for a time 404 or 410.
    private static bool MayHaveExpired(HttpResponseMessage answer) => answer.StatusCode
        is HttpStatusCode.BadRequest
        or HttpStatusCode.Unauthorized
        or HttpStatusCode.Forbidden
        or HttpStatusCode.NotFound
        or HttpStatusCode.Gone;

    private static bool IsSameOrigin(Uri a, Uri b) => a.Scheme == b.Scheme && a.IdnHost == b.IdnHost && a.Port == b.Port;

    /// <param name="Address">Where requests go.</param>
    /// <param name="IsOwn">Whether it and all addresses before it are of the given origin.</param>
    /// <param name="IsRedirected">Whether a redirect led to it.</param>
    private sealed record Route(Uri Address, bool IsOwn, bool IsRedirected);
}
