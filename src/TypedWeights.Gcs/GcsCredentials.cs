using Google.Apis.Auth.OAuth2;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>What Google's library found.</summary>
/// <param name="Value">The credentials, for reading alone; null for none.</param>
/// <param name="Name">Which they are, as it may be shown.</param>
internal sealed record GcsCredentials(GoogleCredential? Value, string Name)
{
    private const string Scope = "https://www.googleapis.com/auth/devstorage.read_only";
    private const string Variable = "GOOGLE_APPLICATION_CREDENTIALS";

    /// <summary>The variable that names the metadata server.</summary>
    public const string Metadata = "GCE_METADATA_HOST";

    /// <summary>The variable of the project whose quota requests count for; Google's library reads it.</summary>
    public const string QuotaProject = "GOOGLE_CLOUD_QUOTA_PROJECT";

    /// <summary>The program's own.</summary>
    public static GcsCredentials Of(GoogleCredential given) =>
        new(given.CreateScoped(Scope), Describe("the credentials in GcsOptions.Credential", given));

    /// <summary>Where the application default credentials are looked for.</summary>
    public static string Setting => Named is { } path
        ? $"the credentials in {path} ({Variable})"
        : Environment.GetEnvironmentVariable(Metadata) is { Length: > 0 }
            ? $"the application default credentials ({Variable}, gcloud's own file, then the metadata server that {Metadata} names)"
            : $"the application default credentials ({Variable}, gcloud's own file, then the metadata server)";

    private static string GcloudFile => Path.Combine(
        OperatingSystem.IsWindows()
            ? Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
        "gcloud",
        "application_default_credentials.json");

    private static string? Named => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? path : null;

    /// <summary>Looks for the application default credentials.</summary>
    /// <param name="context">The loader's connections.</param>
    /// <exception cref="InvalidOperationException">There is a file with them that cannot be used; there are other exceptions too.</exception>
    public static async Task<GcsCredentials> FindAsync(StoreContext context)
    {
        try
        {
            // Google's library keeps what became of this for the whole process, also that it was cancelled.
            GoogleCredential found = await GoogleCredential.GetApplicationDefaultAsync(CancellationToken.None).ConfigureAwait(false);
            GoogleCredential reading = GcsTokenClient.Use(context, found).CreateScoped(Scope).CreateWithEnvironmentQuotaProject();
            return new GcsCredentials(reading, Describe(Named is null ? "the application default credentials" : Setting, found));
        }
        catch (InvalidOperationException e) when (e.InnerException is null && Named is null)
        {
            // There are none. The object may be public.
            return new GcsCredentials(
                null, $"no credentials (there are none: log in with gcloud auth application-default login, or set {Variable})");
        }
    }

    /// <summary>A call for them.</summary>
    /// <param name="display">What they are for, as it may be shown.</param>
    public static SdkCall Search(string display) => new(display, Setting)
    {
        Explain = static e => Named is { } path ? ExplainFile(path, e)
            : e is UriFormatException ? $"{Metadata} is not a host or a host with its port"
            : "they cannot be read",
        Files = SdkFile.Of(Variable) is { Count: > 0 } named ? named : [new SdkFile(GcloudFile, null)],
    };

    private static string ExplainFile(string path, Exception e) =>
        !System.IO.File.Exists(path) ? "there is no such file"
        : e.GetBaseException() is UnauthorizedAccessException ? "this user may not read that file"
        : "that file is not the JSON of a Google credential";

    private static string Describe(string origin, GoogleCredential credential) => credential.UnderlyingCredential switch
    {
        ServiceAccountCredential account => $"{origin} (service account {account.Id})",
        ImpersonatedCredential => $"{origin} (impersonation)",
        ComputeCredential => $"{origin} (the metadata server's)",
        UserCredential => $"{origin} (a user's login)",
        _ => origin,
    };
}
