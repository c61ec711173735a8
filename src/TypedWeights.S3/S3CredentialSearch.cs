using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.S3;

/// <summary>Looks for credentials in the order of the SDK's chain, so that an error names the place that they come from.</summary>
/// <param name="options">The options, which come first.</param>
/// <param name="guard">Calls the SDK.</param>
/// <param name="display">The file that the search is for, as messages may show it.</param>
internal sealed class S3CredentialSearch(S3Options options, SdkGuard guard, string display)
{
    /// <summary>What a search waits for, for errors.</summary>
    public static string Setting => Container is { } container
        ? $"the container's credentials ({container})"
        : "AWS credentials (the profile, then the metadata service of the machine; AWS_EC2_METADATA_DISABLED=true turns that off)";

    private static string? Container =>
        ((string[])["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"])
            .FirstOrDefault(static name => StoreSetting.Of(name) is not null);

    /// <exception cref="WeightSourceException">A setting is unusable; the message names it.</exception>
    public S3FoundCredentials Find() =>
        options.Anonymous ? new(null, "S3Options.Anonymous is set")
        : options.Credentials is AnonymousAWSCredentials ? new(null, "S3Options.Credentials are anonymous")
        : options.Credentials is { } given ? new(given, $"S3Options.Credentials ({given.GetType().Name})")
        : (options.Profile is null ? OfVariables() : null) ?? OfProfile() ?? OfMachine() ?? new(null, "no AWS credentials were found");

    private S3FoundCredentials? OfVariables()
    {
        const string Key = "AWS_ACCESS_KEY_ID", Secret = "AWS_SECRET_ACCESS_KEY", Token = "AWS_WEB_IDENTITY_TOKEN_FILE", Role = "AWS_ROLE_ARN";
        return (StoreSetting.Of(Key), StoreSetting.Of(Secret), StoreSetting.Of(Token), StoreSetting.Of(Role)) switch
        {
            (not null, not null, _, _) => Create($"the variables {Key} and {Secret}", static () => new EnvironmentVariablesAWSCredentials()),
            (not null, null, _, _) => throw Lone(Key, Secret),
            (null, not null, _, _) => throw Lone(Secret, Key),
            (_, _, not null, null) => throw Lone(Token, Role),
            (_, _, { } path, { } role) => Create(
                $"the web identity in {path} ({Token}) for the role {role} ({Role})",
                AssumeRoleWithWebIdentityCredentials.FromEnvironmentVariables,
                [.. SdkFile.Of(Token), .. S3Profile.ReadFiles]),
            _ => null,
        };

        WeightSourceException Lone(string set, string missing) => new(display, $"{set} is set and {missing} is not; set both, or neither.");
    }

    private S3FoundCredentials? OfProfile()
    {
        var profile = S3Profile.Of(options);
        if (profile.Read(guard, display) is not { } read)
        {
            return profile.IsNamed
                ? throw new WeightSourceException(display, $"Amazon S3 cannot use {profile.Setting}: there is no such profile in these files.")
                : null;
        }

        if (profile.Credentials(read, guard, display) is not { } credentials)
        {
            return options.Profile is null
                ? null
                : throw new WeightSourceException(display, $"Amazon S3 cannot use {profile.Setting}: it has no credentials.");
        }

        string? path = read.Options.WebIdentityTokenFile;
        return new(credentials, profile.Setting, read)
        {
            Files = string.IsNullOrEmpty(path) ? [] : [new SdkFile(path, $"web_identity_token_file of {profile.Setting}")],
        };
    }

    private S3FoundCredentials? OfMachine()
    {
        if (Container is not null)
        {
            return Create(Setting, static () => new GenericContainerCredentials(), SdkFile.Of("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
        }

        if (S3Settings.IsTrue("AWS_EC2_METADATA_DISABLED"))
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
            // The last place to look, which no setting names: a machine without a role. The object may be public.
            return null;
        }
    }

    private S3FoundCredentials Create(string origin, Func<AWSCredentials> create, IReadOnlyList<SdkFile>? files = null) =>
        new(guard.Call(new SdkCall(display, origin) { Secrets = S3Credentials.Secrets }, create), origin) { Files = files ?? [] };
}

/// <param name="Credentials">null if there are none, and requests go unsigned.</param>
/// <param name="Origin">Where they come from, or why there are none.</param>
/// <param name="Profile">The profile that they come from; null if they come from none.</param>
internal sealed record S3FoundCredentials(AWSCredentials? Credentials, string Origin, CredentialProfile? Profile = null)
{
    /// <summary>Files that the SDK reads whenever it makes keys of them.</summary>
    public IReadOnlyList<SdkFile> Files { get; init; } = [];
}
