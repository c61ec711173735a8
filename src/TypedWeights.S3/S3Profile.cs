using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.S3;

/// <summary>A profile of the shared configuration files, as far as it can be read.</summary>
/// <param name="name">Its name.</param>
/// <param name="origin">The option or variable that names it; null if none does.</param>
internal sealed class S3Profile(string name, string? origin)
{
    private readonly CredentialProfileStoreChain _files = new();

    /// <summary>The profile as messages name it, with the option or variable and the files.</summary>
    public string Setting { get; } = $"the profile {name} ({(origin is null ? "" : origin + ", ")}{Files})";

    /// <summary>Whether an option or variable names it.</summary>
    public bool IsNamed => origin is not null;

    // As the SDK looks for them.
    private static string Files =>
        $"{PathOf("AWS_CONFIG_FILE", "config")} and {PathOf("AWS_SHARED_CREDENTIALS_FILE", "credentials")}";

    public static S3Profile Of(S3Options options) =>
        options.Profile is { } given ? new S3Profile(given, "S3Options.Profile")
        : StoreSetting.Of("AWS_PROFILE") is { } named ? new S3Profile(named, "AWS_PROFILE")
        : new S3Profile("default", null);

    /// <summary>The files that the SDK reads for it, and for every call to STS.</summary>
    public static IReadOnlyList<SdkFile> ReadFiles => [File("AWS_CONFIG_FILE", "config"), File("AWS_SHARED_CREDENTIALS_FILE", "credentials")];

    /// <returns>null if the files have no profile of that name.</returns>
    /// <exception cref="WeightSourceException">The files cannot be read.</exception>
    public CredentialProfile? Read(SdkGuard guard, string display) => guard.Call(
        new SdkCall(display, Setting)
        {
            Explain = static _ => "the files cannot be read, or the profile refers to something that they do not contain",
            Files = ReadFiles,
        },
        () => _files.TryGetProfile(name, out CredentialProfile profile) ? profile : null);

    /// <summary>Creates its credentials, without a request.</summary>
    /// <returns>null if it has only other settings.</returns>
    /// <exception cref="WeightSourceException">Its settings do not fit together.</exception>
    public AWSCredentials? Credentials(CredentialProfile profile, SdkGuard guard, string display) => !HasCredentials(profile.Options)
        ? null
        : guard.Call(
            new SdkCall(display, Setting) { Explain = e => S3CredentialFailure.Explain(e, profile) },
            () => AWSCredentialsFactory.GetAWSCredentials(profile, _files));

    private static bool HasCredentials(CredentialProfileOptions options) =>
        (string?[])[
            options.AccessKey, options.SecretKey, options.Token, options.RoleArn, options.SourceProfile, options.CredentialSource,
            options.CredentialProcess, options.WebIdentityTokenFile, options.SsoAccountId, options.SsoSession, options.SsoStartUrl,
            options.LoginSession, options.EndpointName, options.UserIdentity,
        ] is var settings && settings.Any(static setting => !string.IsNullOrEmpty(setting));

    private static string PathOf(string variable, string file) => StoreSetting.Of(variable) ?? $"~/.aws/{file}";

    private static SdkFile File(string variable, string file) => StoreSetting.Of(variable) is { } path
        ? new SdkFile(path, variable)
        : new SdkFile(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".aws", file), null);
}
