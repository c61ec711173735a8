using System.Net;
using System.Net.Http.Headers;
using Google.Apis.Auth.OAuth2;
using Google.Apis.Auth.OAuth2.Responses;
using Google.Apis.Http;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>The credentials of a loader, looked up once by Google's library, which keeps their tokens fresh.</summary>
#pragma warning disable CA1001 // The semaphore has something to give back only when its wait handle is asked for.
internal sealed class GcsLogin(StoreContext context, GoogleCredential? given, bool isAnonymous, Uri endpoint)
#pragma warning restore CA1001
{
    private const string Scope = "https://www.googleapis.com/auth/devstorage.read_only";
    private const string File = "GOOGLE_APPLICATION_CREDENTIALS";

    private readonly SemaphoreSlim _busy = new(1, 1);
    private Found? _found;

    /// <summary>Which credentials they are, as it may be shown.</summary>
    public string Name => Volatile.Read(ref _found)?.Name ?? "no credentials";

    /// <summary>Whether requests are sent without credentials.</summary>
    public bool IsAnonymous => Volatile.Read(ref _found)?.Credential is null;

    public async ValueTask AuthorizeAsync(HttpRequestMessage request, string display, CancellationToken cancellationToken)
    {
        Found found = Volatile.Read(ref _found) ?? await FindAsync(display, cancellationToken).ConfigureAwait(false);
        if (found.Credential is not { } credential)
        {
            return;
        }

        if (endpoint.Scheme != Uri.UriSchemeHttps && !endpoint.IsLoopback)
        {
            throw new WeightSourceException(
                display, "tokens are sent over http to this machine alone; give an https endpoint, or set GcsOptions.Anonymous.");
        }

        AccessTokenWithHeaders token = await TellAsync(
            async () => await ((ITokenAccessWithHeaders)credential)
                .GetAccessTokenWithHeadersForRequestAsync(endpoint.AbsoluteUri, cancellationToken).ConfigureAwait(false),
            found.Name,
            display).ConfigureAwait(false);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.AccessToken);

        // The rest: the quota project.
        token.AddHeaders(request);
    }

    /// <summary>Has a new token fetched, where the refused request's is the newest there is.</summary>
    /// <returns>Whether there is another now.</returns>
    public async ValueTask<bool> RenewAsync(HttpResponseMessage refusal, string display, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _found) is not { Credential.UnderlyingCredential: IHttpUnsuccessfulResponseHandler handler } found)
        {
            return false;
        }

        // One at a time: for whoever waited, the token is another one already.
        await _busy.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var refused = new HandleUnsuccessfulResponseArgs
            {
                Request = refusal.RequestMessage,
                Response = refusal,
                TotalTries = 1,
                CurrentFailedTry = 1,
                CancellationToken = cancellationToken,
            };
            return await TellAsync(() => handler.HandleResponseAsync(refused), found.Name, display).ConfigureAwait(false);
        }
        finally
        {
            _busy.Release();
        }
    }

    private async ValueTask<Found> FindAsync(string display, CancellationToken cancellationToken)
    {
        await _busy.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_found is null)
            {
                Volatile.Write(ref _found, await LookUpAsync(display, cancellationToken).ConfigureAwait(false));
            }

            return _found!;
        }
        finally
        {
            _busy.Release();
        }
    }

    private async ValueTask<Found> LookUpAsync(string display, CancellationToken cancellationToken)
    {
        if (isAnonymous || given is not null)
        {
            return isAnonymous
                ? new Found(null, "no credentials, as it was told to")
                : new Found(given!.CreateScoped(Scope), Describe("the credentials in GcsOptions.Credential", given));
        }

        try
        {
            GoogleCredential credential = await GoogleCredential.GetApplicationDefaultAsync(cancellationToken).ConfigureAwait(false);
            string name = Describe("the application default credentials", credential);
            return new Found(GcsTokenClient.Use(context, credential).CreateScoped(Scope), name);
        }
        catch (InvalidOperationException e) when (e.InnerException is null)
        {
            // There are none. The object may be public.
            return new Found(
                null, $"no credentials (there are none: log in with gcloud auth application-default login, or set {File})");
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            // Without its cause, which may quote the file.
            string path = Environment.GetEnvironmentVariable(File) is { Length: > 0 } named ? $"{named}, which {File} names," : "gcloud's own file";
            throw new WeightSourceException(
                display, $"the credentials in {path} cannot be read: it is not there, or not the JSON of a Google credential.");
        }
    }

    private static async Task<T> TellAsync<T>(Func<Task<T>> ask, string name, string display)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (TokenResponseException e)
        {
            string reason = string.Join(" ", ((string?[])[e.Error?.Error, e.Error?.ErrorDescription]).Where(static text => !string.IsNullOrEmpty(text)));
            throw new WeightSourceException(
                display,
                $"Google gives no token for {name} ({(int?)e.StatusCode ?? 0} {reason}); check that they are not revoked, and this machine's clock.",
                isTransient: e.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError);
        }
        catch (Exception e) when (e is not (WeightSourceException or OperationCanceledException))
        {
            // The library has no one type for what goes wrong: a server that is not there, and an answer of it that is no JSON.
            throw new WeightSourceException(
                display, $"no token could be had for {name}: the server that gives them is not there, or answers something else.",
                isTransient: true,
                innerException: e);
        }
    }

    private static string Describe(string origin, GoogleCredential credential) => credential.UnderlyingCredential switch
    {
        ServiceAccountCredential account => $"{origin} (service account {account.Id})",
        ImpersonatedCredential => $"{origin} (impersonation)",
        ComputeCredential => $"{origin} (the metadata server's)",
        UserCredential => $"{origin} (a user's login)",
        _ => origin,
    };

    private sealed record Found(GoogleCredential? Credential, string Name);
}
