using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;
using TypedWeights.Errors;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.S3;

/// <summary>
/// The credentials of a loader: looked up once for all files of all loads, in the order of the SDK's chain. The SDK renews those that
/// expire in time; those that a server calls expired all the same are thrown away and looked up again.
/// </summary>
#pragma warning disable CA1001 // The semaphore has something to give back only when its wait handle is asked for.
internal sealed class S3Credentials(S3Options options, SdkGuard guard)
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Lock _lock = new();
    private Task<Found>? _search;

    /// <summary>Where they come from, or why there are none, as it may be shown.</summary>
    public string Origin => Volatile.Read(ref _search) is { IsCompletedSuccessfully: true } search ? search.Result.Origin : "";

    /// <summary>The keys to sign with now; null for none at all.</summary>
    public async ValueTask<ImmutableCredentials?> GetAsync(string display, CancellationToken cancellationToken)
    {
        Found found = await FindAsync(display, cancellationToken).ConfigureAwait(false);
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

            Found found = await FindAsync(display, cancellationToken).ConfigureAwait(false);
            if (found.Credentials is RefreshingAWSCredentials refreshing)
            {
                refreshing.ClearCredentials();
            }
            else
            {
                Volatile.Write(ref _search, null);
            }

            return await GetAsync(display, cancellationToken).ConfigureAwait(false) is { } renewed && IsOther(renewed, refused);
        }
        finally
        {
            _gate.Release();
        }
    }

    // Values that a command or a server may have repeated.
    private static IEnumerable<string> Secrets() =>
        ((string[])["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"]).Select(S3Variable.Of).OfType<string>();

    private ValueTask<Found> FindAsync(string display, CancellationToken cancellationToken)
    {
        Task<Found>? search = Volatile.Read(ref _search);
        return search is { IsCompletedSuccessfully: true }
            ? new(search.Result)
            : guard.CallAsync(new SdkCall(display, WhatIsSearched) { Secrets = Secrets }, _ => JoinAsync(display), cancellationToken);
    }

    private async Task<Found> JoinAsync(string display)
    {
        try
        {
            return await Search(display).ConfigureAwait(false);
        }
        catch (WeightSourceException e) when (e.SourceName != display)
        {
            // Its error names the file that the search was begun for.
            return await Search(display).ConfigureAwait(false);
        }
    }

    // One search for all who wait, whoever of them gives up: it may ask a machine's metadata service, and blocks for as long.
    private Task<Found> Search(string display)
    {
        lock (_lock)
        {
            if (_search is null or { IsFaulted: true })
            {
                _search = Task.Run(() => Find(display));
            }

            return _search;
        }
    }

    private static string WhatIsSearched => Container is { } container
        ? $"the container's credentials ({container})"
        : "AWS credentials (the profile, then the metadata service of the machine; AWS_EC2_METADATA_DISABLED=true turns that off)";

    private static string? Container =>
        ((string[])["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"])
            .FirstOrDefault(static name => S3Variable.Of(name) is not null);

    private Found Find(string display)
    {
        if (options.Anonymous || options.Credentials is AnonymousAWSCredentials)
        {
            return new Found(null, "it was told to ask without credentials (S3Options.Anonymous)");
        }

        if (options.Credentials is { } given)
        {
            return new Found(given, $"S3Options.Credentials ({given.GetType().Name})");
        }

        return (options.Profile is null ? OfVariables(display) : null)
            ?? OfProfile(display)
            ?? OfMachine(display)
            ?? new Found(null, "no AWS credentials were found");
    }

    private Found? OfVariables(string display)
    {
        const string Key = "AWS_ACCESS_KEY_ID", Secret = "AWS_SECRET_ACCESS_KEY", Token = "AWS_WEB_IDENTITY_TOKEN_FILE", Role = "AWS_ROLE_ARN";
        return (S3Variable.Of(Key), S3Variable.Of(Secret), S3Variable.Of(Token), S3Variable.Of(Role)) switch
        {
            (not null, not null, _, _) => new(
                guard.Call(new SdkCall(display, Key) { Secrets = Secrets }, static () => new EnvironmentVariablesAWSCredentials()),
                $"the variables {Key} and {Secret}"),
            (not null, null, _, _) => throw new WeightSourceException(display, $"{Key} is set and {Secret} is not; set both, or neither."),
            (null, not null, _, _) => throw new WeightSourceException(display, $"{Secret} is set and {Key} is not; set both, or neither."),
            (_, _, not null, null) => throw new WeightSourceException(display, $"{Token} is set and {Role} is not; set both, or neither."),
            (_, _, { } path, { } role) => OfWebIdentity(display, $"the web identity in {path} ({Token}) for the role {role} ({Role})"),
            _ => null,
        };
    }

    private Found OfWebIdentity(string display, string origin) => new(
        guard.Call(new SdkCall(display, origin), static () => AssumeRoleWithWebIdentityCredentials.FromEnvironmentVariables()), origin)
    {
        Files = [.. SdkFile.Of("AWS_WEB_IDENTITY_TOKEN_FILE"), .. S3Profile.ReadFiles],
    };

    private Found? OfProfile(string display)
    {
        var profile = S3Profile.Of(options);
        if (profile.Read(guard, display) is not { } read)
        {
            return profile.IsNamed
                ? throw new WeightSourceException(display, $"Amazon S3 cannot use {profile.Setting}: there is no such profile in these files.")
                : null;
        }

        return profile.Credentials(read, guard, display) is { } credentials
            ? new Found(credentials, profile.Setting, read)
            {
                Files = read.Options.WebIdentityTokenFile is { Length: > 0 } path
                    ? [new SdkFile(path, $"web_identity_token_file of {profile.Setting}")]
                    : [],
            }
            : options.Profile is null
                ? null
                : throw new WeightSourceException(display, $"Amazon S3 cannot use {profile.Setting}: it has no credentials.");
    }

    private Found? OfMachine(string display)
    {
        if (Container is { } container)
        {
            string origin = $"the container's credentials ({container})";
            return new(guard.Call(new SdkCall(display, origin) { Secrets = Secrets }, static () => new GenericContainerCredentials()), origin)
            {
                Files = SdkFile.Of("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
            };
        }

        if (S3Variable.IsTrue("AWS_EC2_METADATA_DISABLED"))
        {
            return null;
        }

        try
        {
            return DefaultAWSCredentialsIdentityResolver.GetCredentials() is var found and not AnonymousAWSCredentials
                ? new(found, $"the credentials of this machine ({found.GetType().Name})")
                : null;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The last place to look, which nobody named: a machine without a role. The object may be public.
            return null;
        }
    }

    private static bool IsOther(ImmutableCredentials keys, (string? AccessKey, string? Token) refused) =>
        keys.AccessKey != refused.AccessKey || (keys.UseToken ? keys.Token : null) != refused.Token;

    /// <param name="Credentials">null where there are none, and requests go unsigned.</param>
    /// <param name="Origin">Where they come from, or why there are none.</param>
    /// <param name="Profile">The profile that they come from; null where it is none.</param>
    private sealed record Found(AWSCredentials? Credentials, string Origin, CredentialProfile? Profile = null)
    {
        /// <summary>Files that the SDK reads whenever it makes keys of them.</summary>
        public IReadOnlyList<SdkFile> Files { get; init; } = [];
    }
}
