using Azure.Identity;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>An account for a loader: its address, and one set of credentials for all requests. Safe for use from many tasks at once.</summary>
internal sealed class BlobAccount(Uri service, BlobCredentials credentials, SdkGuard guard)
{
    private readonly string _setting = credentials.Setting;
    private BlobSigner? _signer = credentials.CreateSigner(service);
    private string? _lack;

    public Uri Service => service;

    /// <summary>The credentials as messages may name them.</summary>
    public string CredentialsName => IsAnonymous && _lack is { } lack ? $"no credentials ({lack})" : credentials.Name;

    /// <summary>Whether requests are sent without credentials.</summary>
    public bool IsAnonymous => Volatile.Read(ref _signer) is null;

    public bool HasToken => credentials.IsToken && !IsAnonymous;

    public bool HasSignature => credentials.IsSignature;

    public async ValueTask AuthorizeAsync(HttpRequestMessage request, string display, CancellationToken cancellationToken)
    {
        BlobSigner? signer = Volatile.Read(ref _signer);
        if (signer is not null)
        {
            await SignAsync(signer, request, display, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes fresh credentials if a refused request did not have the newest ones.</summary>
    /// <returns>Whether there are others now.</returns>
    public async ValueTask<bool> RenewAsync(HttpRequestMessage refused, string display, CancellationToken cancellationToken)
    {
        if (!(credentials.IsToken || credentials.IsSignature) || Volatile.Read(ref _signer) is not { } signer)
        {
            return false;
        }

        return await guard.RenewAsync(
            async () =>
            {
                if (!ReferenceEquals(signer, Volatile.Read(ref _signer))
                    || await IsOtherAsync(signer, refused, display, cancellationToken).ConfigureAwait(false))
                {
                    return true;
                }

                // A new signer has no token cached, so it requests one.
                BlobSigner fresh = credentials.CreateSigner(service)!;
                bool isOther = await IsOtherAsync(fresh, refused, display, cancellationToken).ConfigureAwait(false);
                Volatile.Write(ref _signer, isOther ? fresh : signer);
                return isOther;
            },
            cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<bool> IsOtherAsync(
        BlobSigner signer, HttpRequestMessage refused, string display, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(refused.RequestUri!) { Query = "" }.Uri);
        await SignAsync(signer, request, display, cancellationToken).ConfigureAwait(false);
        return credentials.IsToken
            ? request.Headers.Authorization?.Parameter != refused.Headers.Authorization?.Parameter
            : !refused.RequestUri!.Query.EndsWith(request.RequestUri!.Query.TrimStart('?'), StringComparison.Ordinal);
    }

    private async ValueTask SignAsync(BlobSigner signer, HttpRequestMessage request, string display, CancellationToken cancellationToken)
    {
        var call = new SdkCall(display, _setting)
        {
            Explain = credentials.IsToken ? BlobIdentity.Explain : null,
            IsTransient = BlobIdentity.IsTransient,
            Secrets = BlobIdentity.Secrets,
            Files = credentials.PassedOver is null ? [] : BlobIdentity.Files,
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
        catch (CredentialUnavailableException) when (credentials.PassedOver is not null)
        {
            // The container may be public. If it is not, the error says what was tried, and how to log in.
            string mistakes = BlobIdentity.Mistakes(credentials.PassedOver);
            _lack = (mistakes.Length == 0 ? "" : mistakes + "; ")
                + "DefaultAzureCredential found no credentials: log in with az login, or set AZURE_STORAGE_CONNECTION_STRING, "
                + "AZURE_STORAGE_KEY with AZURE_STORAGE_ACCOUNT, or AZURE_STORAGE_SAS_TOKEN";
            Interlocked.CompareExchange(ref _signer, null, signer);
            return false;
        }
    }
}
