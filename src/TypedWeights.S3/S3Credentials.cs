using Amazon.Runtime;
using TypedWeights.Errors;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.S3;

/// <summary>
/// The credentials of a loader: looked up once for all files of all loads, in the order of the SDK's chain. The SDK renews those that
/// expire in time; those that a server calls expired all the same are thrown away and looked up again.
/// </summary>
internal sealed class S3Credentials(S3Options options, SdkGuard guard)
{
    private readonly SdkValue<S3FoundCredentials> _search = new(
        guard, (_, display) => Task.FromResult(new S3CredentialSearch(options, guard, display).Find()));

    /// <summary>Where they come from, or why there are none, as messages may show it.</summary>
    public string Origin => _search.Found?.Origin ?? "";

    /// <summary>Values that a program or a server may have repeated.</summary>
    public static IEnumerable<string> Secrets() =>
        ((string[])["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"]).Select(StoreSetting.Of).OfType<string>();

    /// <summary>The keys to sign with now; null if there are no credentials.</summary>
    public async ValueTask<ImmutableCredentials?> GetAsync(string display, CancellationToken cancellationToken)
    {
        S3FoundCredentials found = await FindAsync(display, cancellationToken).ConfigureAwait(false);
        if (found.Credentials is not { } credentials)
        {
            return null;
        }

        ImmutableCredentials keys = await guard.CallAsync(
            new SdkCall(display, found.Origin)
            {
                Explain = e => S3CredentialFailure.Explain(e, found.Profile),
                IsTransient = S3CredentialFailure.IsTransient,
                Secrets = Secrets,
                Files = found.Files,
            },
            _ => credentials.GetCredentialsAsync(),
            cancellationToken).ConfigureAwait(false);

        // Both go into a header as they are.
        bool isKeySendable = OptionValue.IsSendable(keys.AccessKey);
        if (!isKeySendable || (keys.UseToken && !OptionValue.IsSendable(keys.Token)))
        {
            throw new WeightSourceException(
                display,
                $"the {(isKeySendable ? "session token" : "access key id")} of {found.Origin} {OptionValue.Unsendable}");
        }

        return keys;
    }

    /// <summary>Throws away keys that a server refused as expired or unknown.</summary>
    /// <param name="refused">The access key and session token of the refused request.</param>
    /// <param name="display">The file as messages may show it.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>Whether there are others now.</returns>
    public ValueTask<bool> RenewAsync((string? AccessKey, string? Token) refused, string display, CancellationToken cancellationToken)
    {
        return guard.RenewAsync(
            async () =>
            {
                ImmutableCredentials? now = await GetAsync(display, cancellationToken).ConfigureAwait(false);
                if (now is null || IsOther(now))
                {
                    return now is not null;
                }

                if ((await FindAsync(display, cancellationToken).ConfigureAwait(false)).Credentials is RefreshingAWSCredentials refreshing)
                {
                    refreshing.ClearCredentials();
                }
                else
                {
                    _search.Forget();
                }

                return await GetAsync(display, cancellationToken).ConfigureAwait(false) is { } renewed && IsOther(renewed);
            },
            cancellationToken);

        bool IsOther(ImmutableCredentials keys) => keys.AccessKey != refused.AccessKey || (keys.UseToken ? keys.Token : null) != refused.Token;
    }

    private ValueTask<S3FoundCredentials> FindAsync(string display, CancellationToken cancellationToken) =>
        _search.GetAsync(new SdkCall(display, S3CredentialSearch.Setting) { Secrets = Secrets }, cancellationToken);
}
