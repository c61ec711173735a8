using TypedWeights.Errors;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>The service for a loader: its address, and one login for all requests.</summary>
internal sealed class GcsService
{
    private const string EmulatorVariable = "STORAGE_EMULATOR_HOST";

    /// <param name="context">The loader's connections.</param>
    /// <param name="options">The options, which come first.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <param name="display">The file that it is first needed for.</param>
    public GcsService(StoreContext context, GcsOptions options, Func<string, string?> variable, string display)
    {
        foreach (string name in (string[])[EmulatorVariable, GcsCredentials.QuotaProject, GcsCredentials.Metadata])
        {
            if (variable(name) is { } text && OptionValue.HasControl(text))
            {
                throw new WeightSourceException(display, $"{name} {OptionValue.Control}");
            }
        }

        string? emulator = options.Endpoint is null ? variable(EmulatorVariable)?.Trim() : null;
        Endpoint = options.Endpoint
            ?? (string.IsNullOrEmpty(emulator) ? new Uri("https://storage.googleapis.com") : Emulator(emulator, display));
        UserProject = options.UserProject;
        string? anonymity = options.Anonymous ? "as it was told to by GcsOptions.Anonymous"
            : options.Credential is null && !string.IsNullOrEmpty(emulator) ? $"which {EmulatorVariable} is asked without"
            : null;
        Login = new GcsLogin(context, options.Credential, anonymity, Endpoint);
    }

    public Uri Endpoint { get; }

    public string? UserProject { get; }

    public GcsLogin Login { get; }

    private static Uri Emulator(string text, string display) =>
        Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text, UriKind.Absolute, out Uri? address)
            && address.Scheme is "http" or "https"
            ? address
            : throw new WeightSourceException(display, $"{EmulatorVariable} is neither an http or https URL nor a host with its port.");
}
