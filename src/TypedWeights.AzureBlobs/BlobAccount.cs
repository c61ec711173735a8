using Azure.Identity;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>An account for a loader: its address, and one login for all requests. Safe for use from many tasks at once.</summary>
#pragma warning disable CA1001 // The semaphore has something to give back only when its wait handle is asked for.
internal sealed class BlobAccount(Uri service, BlobCredentials login, SdkGuard guard)
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _renewing = new(1, 1);
    private readonly string _setting = login.Setting;
    private BlobSigner? _signer = Signer(login, service);
    private string? _lack;

    public Uri Service => service;

    /// <summary>Which login it is, as it may be shown.</summary>
    public string LoginName => IsAnonymous && _lack is { } lack ? $"no credentials ({lack})" : login.Name;

    /// <summary>Whether requests are sent without credentials.</summary>
    public bool IsAnonymous => Volatile.Read(ref _signer) is null;

    public bool HasToken => login is BlobCredentials.Token && !IsAnonymous;

    public bool HasSignature => login is BlobCredentials.Signature;

    public async ValueTask AuthorizeAsync(HttpRequestMessage request, string display, CancellationToken cancellationToken)
    {
        BlobSigner? signer = Volatile.Read(ref _signer);
        if (signer is not null)
        {
            await SignAsync(signer, request, display, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes fresh credentials, where those of a refused request are not the newest that can be had.</summary>
    /// <returns>Whether there are others now.</returns>
    public async ValueTask<bool> RenewAsync(HttpRequestMessage refused, string display, CancellationToken cancellationToken)
    {
        if (login is not (BlobCredentials.Token or BlobCredentials.Signature) || Volatile.Read(ref _signer) is not { } signer)
        {
            return false;
        }

        await _renewing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!ReferenceEquals(signer, Volatile.Read(ref _signer))
                || await IsOtherAsync(signer, refused, display, cancellationToken).ConfigureAwait(false))
            {
                return true;
            }

            // A new one has no token kept, so the identity is asked again.
            BlobSigner fresh = Signer(login, service)!;
            if (!await IsOtherAsync(fresh, refused, display, cancellationToken).ConfigureAwait(false))
            {
                return false;
            }

            Volatile.Write(ref _signer, fresh);
            return true;
        }
        finally
        {
            _renewing.Release();
        }
    }

    private async ValueTask<bool> IsOtherAsync(
        BlobSigner signer, HttpRequestMessage refused, string display, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(refused.RequestUri!) { Query = "" }.Uri);
        await SignAsync(signer, request, display, cancellationToken).ConfigureAwait(false);
        return login is BlobCredentials.Token
            ? request.Headers.Authorization?.Parameter != refused.Headers.Authorization?.Parameter
            : !refused.RequestUri!.Query.EndsWith(request.RequestUri!.Query.TrimStart('?'), StringComparison.Ordinal);
    }

    private async ValueTask SignAsync(BlobSigner signer, HttpRequestMessage request, string display, CancellationToken cancellationToken)
    {
        var call = new SdkCall(display, _setting)
        {
            Explain = login is BlobCredentials.Token ? BlobIdentity.Explain : null,
            IsTransient = BlobIdentity.IsTransient,
            Secrets = BlobIdentity.Secrets,
            Files = login is BlobCredentials.Token { IsOptional: true } ? BlobIdentity.Files : [],
        };
        await guard.CallAsync(call, token => SignAsync(signer, request, token), cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> SignAsync(BlobSigner signer, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            await signer.SignAsync(request, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (CredentialUnavailableException) when (login is BlobCredentials.Token { IsOptional: true } token)
        {
            // The container may be public. What was tried, and how to log in, is said if it is not.
            string mistakes = BlobIdentity.Mistakes(token.PassedOver);
            _lack = (mistakes.Length == 0 ? "" : mistakes + "; ")
                + "DefaultAzureCredential found none: log in with az login, or set AZURE_STORAGE_CONNECTION_STRING, "
                + "AZURE_STORAGE_KEY with AZURE_STORAGE_ACCOUNT, or AZURE_STORAGE_SAS_TOKEN";
            Interlocked.CompareExchange(ref _signer, null, signer);
            return false;
        }
    }

    private static BlobSigner? Signer(BlobCredentials login, Uri service) =>
        login.CreatePolicy(service) is { } policy ? new BlobSigner(policy) : null;
}
