using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>The service for a loader: its address, and one login for all requests.</summary>
internal sealed class GcsService
{
    private const string EmulatorVariable = "STORAGE_EMULATOR_HOST";

    /// <param name="context">The loader's connections.</param>
    /// <param name="options">The options, which come first.</param>
    /// <param name="variable">Reads an environment variable.</param>
    public GcsService(StoreContext context, GcsOptions options, Func<string, string?> variable)
    {
        string? emulator = options.Endpoint is null ? variable(EmulatorVariable)?.Trim() : null;
        Endpoint = options.Endpoint
            ?? (string.IsNullOrEmpty(emulator) ? new Uri("https://storage.googleapis.com") : Emulator(emulator));
        UserProject = options.UserProject;
        bool isAnonymous = options.Anonymous || (options.Credential is null && !string.IsNullOrEmpty(emulator));
        Login = new GcsLogin(context, options.Credential, isAnonymous, Endpoint);
    }

    public Uri Endpoint { get; }

    public string? UserProject { get; }

    public GcsLogin Login { get; }

    private static Uri Emulator(string text) =>
        Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text, UriKind.Absolute, out Uri? address)
            && address.Scheme is "http" or "https"
            ? address
            : throw new WeightSourceException(EmulatorVariable, "this is neither an http or https URL nor a host with its port.");
}
