using Azure;
using Azure.Identity;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>The identity of the environment, and what it means if it has no token.</summary>
internal static class BlobIdentity
{
    private const string Authority = "AZURE_AUTHORITY_HOST", Chain = "AZURE_TOKEN_CREDENTIALS", Tenant = "AZURE_TENANT_ID";

    private static readonly string[] Variables =
    [
        Tenant, "AZURE_CLIENT_ID", Authority, Chain, "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME",
        "IDENTITY_ENDPOINT", "MSI_ENDPOINT", "IMDS_ENDPOINT", "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    ];

    private static readonly string[] FileVariables = ["AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_CERTIFICATE_PATH"];

    private static readonly string[] SecretVariables =
        ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD", "IDENTITY_HEADER", "MSI_SECRET"];

    /// <summary>The files that it reads.</summary>
    public static IReadOnlyList<SdkFile> Files => [.. FileVariables.SelectMany(SdkFile.Of)];

    /// <summary>What it depends on: the variables that are set, whose values are not shown, and the mistakes in them.</summary>
    /// <param name="passedOver">As for <see cref="Mistakes"/>.</param>
    public static string Setting(string passedOver)
    {
        string[] set = [.. Variables.Concat(SecretVariables).Where(static name => StoreSetting.Of(name) is not null)];
        string chosen = set.Length > 0 ? string.Join(", ", set) : $"managed identity, az login and others; {Chain} chooses";
        return $"DefaultAzureCredential ({chosen}{(Mistakes(passedOver) is { Length: > 0 } mistakes ? "; " + mistakes : "")})";
    }

    /// <summary>Values that a response or an error of the SDK may have repeated.</summary>
    public static IEnumerable<string> Secrets() => SecretVariables.Select(StoreSetting.Of).OfType<string>();

    /// <exception cref="WeightSourceException">A variable is malformed.</exception>
    public static DefaultAzureCredential Create(SdkGuard guard, string display) => guard.Call(
        new SdkCall(display, Setting(passedOver: "")) { Explain = ExplainVariable, Secrets = Secrets },
        static () =>
        {
            var options = new DefaultAzureCredentialOptions();

            // The library repeats failures itself; the SDK alone would for minutes.
            options.Retry.MaxRetries = 1;
            return new DefaultAzureCredential(options);
        });

    /// <summary>Says which credential has no token.</summary>
    public static string Explain(Exception e)
    {
        string first = e.Message.Split(' ', 2)[0];
        return (first.EndsWith("Credential", StringComparison.Ordinal) ? first : "it") + " did not return a token";
    }

    /// <summary>
    /// Variables that are set and unusable, for the error of a load that found no credentials; empty if there are none. The SDK passes over
    /// them and blames the last credential that it tried.
    /// </summary>
    /// <param name="passedOver">Credentials that are set and are another account's; empty if there are none.</param>
    public static string Mistakes(string passedOver)
    {
        IEnumerable<string> files = FileVariables
            .Where(static name => StoreSetting.Of(name) is { } path && !System.IO.File.Exists(path))
            .Select(static name => $"{name} names a file that does not exist or cannot be read: {StoreSetting.Of(name)}");
        bool lacksAccount = StoreSetting.Of(BlobSettings.Key) is not null && StoreSetting.Of(BlobSettings.AccountName) is null;
        string[] key = lacksAccount ? [$"{BlobSettings.Key} is set and {BlobSettings.AccountName} is not; set both"] : [];
        return string.Join("; ", files.Concat(key).Append(passedOver).Where(static text => text.Length > 0));
    }

    /// <summary>Whether a failure is transient, by the SDK's own exceptions.</summary>
    public static bool? IsTransient(Exception e) =>
        SdkGuard.CausesOf(e).OfType<RequestFailedException>().FirstOrDefault()?.Status is { } status ? status is 0 or 408 or 429 or >= 500 : null;

    private static string? ExplainVariable(Exception e) =>
        e.Message.Contains(Chain, StringComparison.Ordinal) ? $"{Chain} does not name a credential"
        : e is UriFormatException || e.Message.Contains("authority host", StringComparison.OrdinalIgnoreCase) ? $"{Authority} is not an https URL"
        : e.Message.Contains("tenant", StringComparison.OrdinalIgnoreCase) ? $"{Tenant} is neither the id nor the domain of a tenant"
        : null;
}
