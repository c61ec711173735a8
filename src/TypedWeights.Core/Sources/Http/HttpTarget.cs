using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using TypedWeights.Errors;

namespace TypedWeights.Sources.Http;

/// <summary>
/// Where the requests for one file go: the file's own address, or the address that it redirected to. The latter is kept until it fails as an
/// expired signed URL does; then one request resolves the file's own address again for all.
/// </summary>
/// <param name="channel">The connections.</param>
/// <param name="file">The file; its credentials are sent to its own origin only.</param>
#pragma warning disable CA1001 // The semaphore holds nothing to dispose unless its wait handle is used.
internal sealed class HttpTarget(HttpChannel channel, StoreFile file)
#pragma warning restore CA1001
{
    private const int HopLimit = 10;

    private readonly SemaphoreSlim _resolving = new(1, 1);
    private Route? _redirect;
    private bool _hasRedirected;
    private HttpRequestMessage? _lastRequest;

    public StoreFile File => file;

    /// <summary>The file as it may be shown. The addresses of redirects are never shown.</summary>
    public string Display => file.Display;

    /// <summary>The request of the last response; null before the first one.</summary>
    public HttpRequestMessage? LastRequest => Volatile.Read(ref _lastRequest);

    /// <summary>Whether a response is from another origin than the file's own.</summary>
    public bool IsElsewhere(HttpResponseMessage response) =>
        response.RequestMessage?.RequestUri is { } address && !IsSameOrigin(address, file.Address);

    /// <summary>Sends a request for the file.</summary>
    /// <param name="range">The bytes.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>A response that is not a redirect; its body has not been read.</returns>
    /// <exception cref="WeightSourceException">
    /// No response was received, a redirect cannot be followed, or the store explains its error response.
    /// </exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<HttpResponseMessage> SendAsync(RangeRequest range, CancellationToken cancellationToken)
    {
        Route? redirect = Volatile.Read(ref _redirect);
        HttpResponseMessage response = await SendAsync(redirect ?? Own(range), range, cancellationToken).ConfigureAwait(false);
        if (IsRedirect(response) || (redirect is not null && MayHaveExpired(response)))
        {
            response = await ResolveAsync(redirect, response, range, cancellationToken).ConfigureAwait(false);
        }

        Volatile.Write(ref _lastRequest, response.RequestMessage);
        await ThrowIfExplainedAsync(response, cancellationToken).ConfigureAwait(false);
        return response;
    }

    // One request at a time follows redirects from the file's own address. The others then use its result.
    private async ValueTask<HttpResponseMessage> ResolveAsync(
        Route? stale, HttpResponseMessage response, RangeRequest range, CancellationToken cancellationToken)
    {
        try
        {
            await _resolving.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // Its body may still arrive, over a connection that nothing else would close.
            response.Dispose();
            throw;
        }

        Route? redirect;
        try
        {
            redirect = Volatile.Read(ref _redirect);
            if (ReferenceEquals(redirect, stale))
            {
                if (stale is not null)
                {
                    response.Dispose();
                    response = await SendAsync(Own(range), range, cancellationToken).ConfigureAwait(false);
                }

                return await FollowAsync(Own(range), response, range, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _resolving.Release();
        }

        // Another request has resolved it meanwhile.
        response.Dispose();
        redirect ??= Own(range);
        response = await SendAsync(redirect, range, cancellationToken).ConfigureAwait(false);
        return await FollowAsync(redirect, response, range, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<HttpResponseMessage> FollowAsync(
        Route route, HttpResponseMessage response, RangeRequest range, CancellationToken cancellationToken)
    {
        var seen = new HashSet<Uri> { route.Address };
        while (IsRedirect(response))
        {
            using (response)
            {
                await ThrowIfExplainedAsync(response, cancellationToken).ConfigureAwait(false);
                route = Next(route, response);
            }

            if (seen.Count > HopLimit || !seen.Add(route.Address))
            {
                throw new WeightSourceException(
                    Display,
                    seen.Count > HopLimit ? $"the server redirects more than {HopLimit} times." : "the server redirects in a circle.");
            }

            Volatile.Write(ref _hasRedirected, true);
            response = await SendAsync(route, range with { IfMatch = null }, cancellationToken).ConfigureAwait(false);
        }

        // An address that responds with 5xx now may not be the last one of the chain.
        if ((int)response.StatusCode < 500)
        {
            Volatile.Write(ref _redirect, route.From is null ? null : route);
        }

        return response;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<HttpResponseMessage> SendAsync(Route route, RangeRequest range, CancellationToken cancellationToken)
    {
        // An address that only redirects may have tags of its own, so it gets no If-Match. The tag of the final response is compared.
        if (route.From is null && Volatile.Read(ref _hasRedirected))
        {
            range = range with { IfMatch = null };
        }

        try
        {
            HttpResponseMessage response =
                await channel.SendAsync(route.Address, range, route.IsOwn, route.From, file, cancellationToken).ConfigureAwait(false);
            if (!route.IsOwn || !IsRepairable(response) || !await IsRenewedAsync(response, cancellationToken).ConfigureAwait(false))
            {
                return response;
            }

            response.Dispose();
            Uri again = route.From is null ? Own(range).Address : route.Address;
            return await channel.SendAsync(again, range with { IsAgain = true }, isOwn: true, route.From, file, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (WeightSourceException) when (route.From is not null)
        {
            // The host of a redirect is gone, perhaps for good: the next attempt starts at the file's own address.
            Interlocked.CompareExchange(ref _redirect, null, route);
            throw;
        }
    }

    private async ValueTask<bool> IsRenewedAsync(HttpResponseMessage errorResponse, CancellationToken cancellationToken)
    {
        try
        {
            return await file.RenewAsync(errorResponse, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            errorResponse.Dispose();
            throw;
        }
    }

    private async ValueTask ThrowIfExplainedAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        bool isError = IsRedirect(response) ? LocationOf(response) is null : IsRepairable(response) || (int)response.StatusCode is 404 or >= 500;
        if (!isError || IsElsewhere(response))
        {
            return;
        }

        try
        {
            if (await file.ExplainAsync(response, cancellationToken).ConfigureAwait(false) is { } explained)
            {
                throw ForeignText.Clean(explained, response.RequestMessage);
            }
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private Route Own(RangeRequest range) =>
        new(range.Version is null ? file.Address : file.AddressAt(range.Version), IsOwn: true, From: null);

    private Route Next(Route from, HttpResponseMessage response)
    {
        Uri address = response.RequestMessage?.RequestUri ?? from.Address;
        if (LocationOf(response) is not { } location || ExactUri.Resolve(address, location) is not { } next)
        {
            throw new WeightSourceException(Display, $"the server redirects ({(int)response.StatusCode}) without a valid Location.");
        }

        if (next.Scheme != Uri.UriSchemeHttps && (next.Scheme != Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps))
        {
            throw new WeightSourceException(
                Display,
                $"the server redirects from {address.Scheme} to {ForeignText.Show(next.Scheme, response.RequestMessage)}, which is not followed.");
        }

        // A chain that leaves the origin and returns brings no credentials, because another party chose the address.
        next = ExactUri.WithoutUserInfo(next);
        return new Route(next, from.IsOwn && IsSameOrigin(address, next), response.RequestMessage);
    }

    // As the server sent it: the client's own parser would normalise a signed URL.
    private static string? LocationOf(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Location", out HeaderStringValues values)
        && values.Distinct().ToArray() is [{ Length: > 0 } location]
            ? location
            : null;

    private static bool IsRedirect(HttpResponseMessage response) => (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;

    // Error responses that a store may repair or explain, but not those for a file that is absent (404), has changed (412) or is shorter (416).
    private static bool IsRepairable(HttpResponseMessage response) =>
        (int)response.StatusCode is >= 300 and < 500 and not (304 or 404 or 412 or 416);

    // Azure, CloudFront and S3 respond with 403, S3 with a session token with 400, some CDNs with 401, expiring links with 404 or 410.
    private static bool MayHaveExpired(HttpResponseMessage response) => (int)response.StatusCode is 400 or 401 or 403 or 404 or 410;

    private static bool IsSameOrigin(Uri a, Uri b) => a.Scheme == b.Scheme && a.IdnHost == b.IdnHost && a.Port == b.Port;

    /// <param name="Address">The address of the requests.</param>
    /// <param name="IsOwn">Whether this address and all before it are in the file's own origin.</param>
    /// <param name="From">The request whose redirect led to it; null for the file's own address.</param>
    private sealed record Route(Uri Address, bool IsOwn, HttpRequestMessage? From);
}
