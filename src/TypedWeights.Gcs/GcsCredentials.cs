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

    /// <summary>The program's own.</summary>
    public static GcsCredentials Of(GoogleCredential given) =>
        new(given.CreateScoped(Scope), Describe("the credentials in GcsOptions.Credential", given));

    /// <summary>Looks for the application default credentials.</summary>
    /// <param name="context">The loader's connections.</param>
    /// <param name="display">What they are for, as it may be shown.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">There is a file with them that cannot be read.</exception>
    public static async ValueTask<GcsCredentials> FindAsync(StoreContext context, string display, CancellationToken cancellationToken)
    {
        try
        {
            GoogleCredential found = await GoogleCredential.GetApplicationDefaultAsync(cancellationToken).ConfigureAwait(false);
            GoogleCredential reading = GcsTokenClient.Use(context, found).CreateScoped(Scope).CreateWithEnvironmentQuotaProject();
            return new GcsCredentials(reading, Describe("the application default credentials", found));
        }
        catch (InvalidOperationException e) when (e.InnerException is null)
        {
            // There are none. The object may be public.
            return new GcsCredentials(
                null, $"no credentials (there are none: log in with gcloud auth application-default login, or set {Variable})");
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            // Without its cause, which may quote the file.
            string path = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named
                ? $"{named}, which {Variable} names,"
                : "gcloud's own file";
            throw new WeightSourceException(
                display, $"the credentials in {path} cannot be read: it is not there, or not the JSON of a Google credential.");
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
}
