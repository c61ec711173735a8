using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;

namespace TypedWeights.Sources.S3;

/// <summary>
/// The credentials of a loader: looked up once, in the SDK's chain, for all files of all loads. The SDK renews those that expire in time;
/// those that a server calls expired all the same are thrown away and looked up again.
/// </summary>
#pragma warning disable CA1001 // The semaphore has something to give back only when its wait handle is asked for.
internal sealed class S3Credentials(S3SourceOptions options)
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile Found? _found;

    /// <summary>The keys to sign with now; null for none at all.</summary>
    public async ValueTask<ImmutableCredentials?> GetAsync(string display, CancellationToken cancellationToken)
    {
        Found found = _found ?? await FindAsync(cancellationToken).ConfigureAwait(false);
        if (found.Credentials is not { } credentials)
        {
            return null;
        }

        try
        {
            return await credentials.GetCredentialsAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AmazonClientException or InvalidOperationException or IOException or ArgumentException)
        {
            throw new WeightSourceException(
                display,
                $"the AWS SDK found credentials ({credentials.GetType().Name}) and could not get keys from them; sign in anew or check the "
                    + "profile. The inner exception has the SDK's words.",
                innerException: e);
        }
    }

    /// <summary>Throws away keys that a server refused as expired or unknown.</summary>
    /// <param name="refused">The access key and session token that the refused request had.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>Whether there are others now.</returns>
    public async ValueTask<bool> RenewAsync((string? AccessKey, string? Token) refused, string display, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (await GetAsync(display, cancellationToken).ConfigureAwait(false) is not { } now)
            {
                return false;
            }

            if (IsOther(now, refused))
            {
                return true;
            }

            if (_found is { Credentials: RefreshingAWSCredentials refreshing })
            {
                refreshing.ClearCredentials();
            }
            else
            {
                _found = Find();
            }

            return await GetAsync(display, cancellationToken).ConfigureAwait(false) is { } renewed && IsOther(renewed, refused);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async ValueTask<Found> FindAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // The chain may ask a machine's metadata service, and blocks for as long.
            return _found ??= await Task.Run(Find, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    private Found Find()
    {
        if (options.Anonymous || options.Credentials is AnonymousAWSCredentials)
        {
            return new Found(null);
        }

        if (options.Credentials is { } given)
        {
            return new Found(given);
        }

        if (options.Profile is { } profile)
        {
            return new CredentialProfileStoreChain().TryGetAWSCredentials(profile, out AWSCredentials named)
                ? new Found(named)
                : throw new WeightSourceException("s3", $"the shared configuration files have no profile {profile} with credentials.");
        }

        try
        {
            return new Found(DefaultAWSCredentialsIdentityResolver.GetCredentials() is var found and not AnonymousAWSCredentials ? found : null);
        }
        catch (Exception e) when (e is AmazonClientException or InvalidOperationException or ArgumentException)
        {
            return new Found(null);
        }
    }

    private static bool IsOther(ImmutableCredentials keys, (string? AccessKey, string? Token) refused) =>
        keys.AccessKey != refused.AccessKey || (keys.UseToken ? keys.Token : null) != refused.Token;

    /// <param name="Credentials">null where there are none, and requests go unsigned.</param>
    private sealed record Found(AWSCredentials? Credentials);
}
