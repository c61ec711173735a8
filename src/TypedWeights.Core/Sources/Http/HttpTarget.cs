using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using TypedWeights.Errors;

namespace TypedWeights.Sources.Http;

/// <summary>
/// Where the requests for one file go: its own address, and the one that redirects led to from there. That one is kept until it fails in
/// a way in which a signed URL does when its time is over; then the file's own is asked again, by one request for all.
/// </summary>
#pragma warning disable CA1001 // The semaphore has something to give back only when its wait handle is asked for.
internal sealed class HttpTarget
#pragma warning restore CA1001
{
    private const int HopLimit = 10;

    private readonly HttpChannel _channel;
    private readonly SemaphoreSlim _resolving = new(1, 1);
    private Route? _ledTo;
    private bool _hasRedirected;
    private HttpRequestMessage? _asked;
    private Own? _own;

    /// <param name="channel">The connections.</param>
    /// <param name="file">The file; what it authorises stays with its own origin.</param>
    public HttpTarget(HttpChannel channel, StoreFile file)
    {
        _channel = channel;
        File = file;
    }

    public StoreFile File { get; }

    /// <summary>The file as it may be shown. The addresses that redirects lead to are shown nowhere.</summary>
    public string Display => File.Display;

    /// <summary>The request that was answered last; null before the first.</summary>
    public HttpRequestMessage? Asked => Volatile.Read(ref _asked);

    /// <summary>Whether an answer came from another origin than the file's own.</summary>
    public bool IsElsewhere(HttpResponseMessage answer) =>
        answer.RequestMessage?.RequestUri is { } address && !IsSameOrigin(address, File.Address);

    /// <summary>Sends a request to the file.</summary>
    /// <param name="ask">What for.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>An answer that is no redirect; its body has not been read.</returns>
    /// <exception cref="WeightSourceException">
    /// No answer came, the redirects lead nowhere, or the store has an explanation of its refusal.
    /// </exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<HttpResponseMessage> SendAsync(RangeRequest ask, CancellationToken cancellationToken)
    {
        Route? ledTo = Volatile.Read(ref _ledTo);
        HttpResponseMessage answer = await SendAsync(ledTo ?? Given(ask), ask, cancellationToken).ConfigureAwait(false);
        answer = IsRedirect(answer) || (ledTo is not null && MayHaveExpired(answer))
            ? await ResolveAsync(ledTo, answer, ask, cancellationToken).ConfigureAwait(false)
            : answer;
        Volatile.Write(ref _asked, answer.RequestMessage);
        await ThrowIfExplainedAsync(answer, cancellationToken).ConfigureAwait(false);
        return answer;
    }

    private async ValueTask<HttpResponseMessage> ResolveAsync(
        Route? stale, HttpResponseMessage answer, RangeRequest ask, CancellationToken cancellationToken)
    {
        Route? fresh;
        using (stale is null ? null : answer)
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
                fresh = Volatile.Read(ref _ledTo);
                if (ReferenceEquals(fresh, stale))
                {
                    HttpResponseMessage first = stale is null
                        ? answer
                        : await SendAsync(Given(ask), ask, cancellationToken).ConfigureAwait(false);
                    return await FollowAsync(Given(ask), first, ask, cancellationToken).ConfigureAwait(false);
                }
            }
            finally
            {
                _resolving.Release();
            }
        }

        // Another request has resolved it meanwhile.
        answer.Dispose();
        fresh ??= Given(ask);
        HttpResponseMessage second = await SendAsync(fresh, ask, cancellationToken).ConfigureAwait(false);
        return await FollowAsync(fresh, second, ask, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<HttpResponseMessage> FollowAsync(
        Route route, HttpResponseMessage answer, RangeRequest ask, CancellationToken cancellationToken)
    {
        var seen = new HashSet<Uri> { route.Address };
        while (IsRedirect(answer))
        {
            using (answer)
            {
                await ThrowIfExplainedAsync(answer, cancellationToken).ConfigureAwait(false);
                route = Next(route, answer);
            }

            if (seen.Count > HopLimit || !seen.Add(route.Address))
            {
                throw new WeightSourceException(
                    Display,
                    seen.Count > HopLimit ? $"the server redirects more than {HopLimit} times." : "the server redirects in a circle.");
            }

            Volatile.Write(ref _hasRedirected, true);
            answer = await SendAsync(route, ask with { IfMatch = null }, cancellationToken).ConfigureAwait(false);
        }

        // An address that has no answer now may not be the last one of the chain.
        if ((int)answer.StatusCode < 500)
        {
            Volatile.Write(ref _ledTo, route.IsRedirected ? route : null);
        }

        return answer;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<HttpResponseMessage> SendAsync(Route route, RangeRequest ask, CancellationToken cancellationToken)
    {
        // No If-Match on the way: an address that only redirects may have tags of its own. The answer's are compared all the same.
        if (!route.IsRedirected && Volatile.Read(ref _hasRedirected))
        {
            ask = ask with { IfMatch = null };
        }

        try
        {
            HttpResponseMessage answer =
                await _channel.SendAsync(route.Address, ask, route.IsOwn, route.From, File, cancellationToken).ConfigureAwait(false);
            if (!route.IsOwn || !IsRefusal(answer) || !await IsRenewedAsync(answer, cancellationToken).ConfigureAwait(false))
            {
                return answer;
            }

            answer.Dispose();
            Uri again = route.IsRedirected ? route.Address : Given(ask).Address;
            return await _channel.SendAsync(again, ask with { IsAgain = true }, isOwn: true, route.From, File, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (WeightSourceException) when (route.IsRedirected)
        {
            // A host that was chosen by a redirect is gone, perhaps for good: the next attempt asks for another.
            Interlocked.CompareExchange(ref _ledTo, null, route);
            throw;
        }
    }

    private async ValueTask<bool> IsRenewedAsync(HttpResponseMessage refusal, CancellationToken cancellationToken)
    {
        try
        {
            return await File.RenewAsync(refusal, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            refusal.Dispose();
            throw;
        }
    }

    private async ValueTask ThrowIfExplainedAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        bool isRefusal = IsRedirect(answer) ? LocationOf(answer) is null : IsRefusal(answer) || (int)answer.StatusCode is 404 or >= 500;
        if (!isRefusal || IsElsewhere(answer))
        {
            return;
        }

        try
        {
            if (await File.ExplainAsync(answer, cancellationToken).ConfigureAwait(false) is { } explained)
            {
                throw ForeignText.Clean(explained, answer.RequestMessage);
            }
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }

    // Nearly every request: the address is the same object, and the version that of the request before.
    private Route Given(RangeRequest ask)
    {
        Uri address = File.Address;
        Own? own = Volatile.Read(ref _own);
        if (own is null || !ReferenceEquals(own.Base, address) || own.Version != ask.Version)
        {
            Uri versioned = ask.Version is null ? address : File.AddressAt(ask.Version);
            own = new Own(address, ask.Version, new Route(versioned, IsOwn: true, From: null));
            Volatile.Write(ref _own, own);
        }

        return own.Route;
    }

    private Route Next(Route from, HttpResponseMessage answer)
    {
        Uri address = answer.RequestMessage?.RequestUri ?? from.Address;
        if (LocationOf(answer) is not { } location || ExactUri.Resolve(address, location) is not { } next)
        {
            throw new WeightSourceException(Display, $"the server redirects ({(int)answer.StatusCode}) without a valid Location.");
        }

        if (next.Scheme != Uri.UriSchemeHttps && (next.Scheme != Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps))
        {
            throw new WeightSourceException(
                Display,
                $"the server redirects from {address.Scheme} to {ForeignText.Show(next.Scheme, answer.RequestMessage)}, which is not followed.");
        }

        // Once it has left its origin, a chain that comes back to it brings no login there: somebody else chose the address.
        next = ExactUri.WithoutLogin(next);
        return new Route(next, from.IsOwn && IsSameOrigin(address, next), answer.RequestMessage);
    }

    // As it was sent: the client's own reading of it would tidy a signed URL.
    private static string? LocationOf(HttpResponseMessage answer) =>
        answer.Headers.NonValidated.TryGetValues("Location", out HeaderStringValues values)
        && values.Distinct().ToArray() is [{ Length: > 0 } location]
            ? location
            : null;

    private static bool IsRedirect(HttpResponseMessage answer) => answer.StatusCode
        is HttpStatusCode.MovedPermanently
        or HttpStatusCode.Found
        or HttpStatusCode.SeeOther
        or HttpStatusCode.TemporaryRedirect
        or HttpStatusCode.PermanentRedirect;

    // What a store may mend or explain: not that the file is gone, is another now (412) or is shorter (416).
    private static bool IsRefusal(HttpResponseMessage answer) =>
        (int)answer.StatusCode is >= 300 and < 500 and not (304 or 404 or 412 or 416);

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
    /// <param name="From">The request whose redirect led to it; null where it is the file's own.</param>
    private sealed record Route(Uri Address, bool IsOwn, HttpRequestMessage? From)
    {
        public bool IsRedirected => From is not null;
    }

    /// <summary>The file's own route, kept while nothing of what it was made from changes.</summary>
    private sealed record Own(Uri Base, string? Version, Route Route);
}
