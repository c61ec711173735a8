using System.Text;
using TypedWeights.Errors;
using TypedWeights.Files;

namespace TypedWeights.Sources.HuggingFace;

/// <summary>The addresses of the hub and its cache folder, and the token, by options or by the environment.</summary>
/// <param name="options">The options, which come first.</param>
/// <param name="variable">Reads an environment variable.</param>
internal sealed class HubSettings(HuggingFaceOptions options, Func<string, string?> variable)
{
    private const int TokenLimit = 64 << 10;

    private const string TokenPathVariable = "HF_TOKEN_PATH";

    private static readonly string[] TokenVariables = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"];

    // The first that is set counts, as for the hub's own tools.
    private static readonly string[] OfflineVariables = ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"];

    /// <summary>The hub's address with a final slash, and without user info or query: errors show it.</summary>
    public Uri Endpoint { get; } = Plain(options.Endpoint ?? FromText(Text("HF_ENDPOINT", variable)) ?? new Uri("https://huggingface.co"));

    /// <summary>The option or variable that forbids requests to the hub; null if none does.</summary>
    public string? OfflineOrigin => options.Offline is { } given
        ? given ? "HuggingFaceOptions.Offline" : null
        : OfflineVariables.FirstOrDefault(name => Text(name, variable) is not null) is { } set
            && Text(set, variable)!.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE" ? set
        : null;

    public string CacheFolder => options.CacheFolder ?? Folder("HF_HUB_CACHE") ?? Folder("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(Home, "hub");

    private string Home => Folder("HF_HOME") ?? Path.Combine(Folder("XDG_CACHE_HOME") ?? Path.Combine(HomePath.UserFolder, ".cache"), "huggingface");

    /// <summary>The token and its origin; null if there is none.</summary>
    /// <param name="unread">
    /// Why the file of a saved token was not read although there is something or a variable names it, as a sentence; null if it was read or
    /// there is none.
    /// </param>
    /// <exception cref="WeightSourceException">The token has a character that no header may have.</exception>
    public HubToken? FindToken(out string? unread)
    {
        unread = null;
        if (options.Token?.Trim() is { Length: > 0 } given)
        {
            return Checked(new HubToken(given, "HuggingFaceOptions.Token"));
        }

        foreach (string name in TokenVariables)
        {
            if (Text(name, variable) is { } token)
            {
                return Checked(new HubToken(token, name));
            }
        }

        string? named = Folder(TokenPathVariable);
        string path = named ?? Path.Combine(Home, "token");
        try
        {
            string saved = Encoding.UTF8.GetString(SmallFile.Read(path, TokenLimit)).Trim();
            return saved.Length > 0 ? Checked(new HubToken(saved, "the token saved in " + path)) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string? reason = (e as RefusedFileException)?.Reason ?? Denial.OfRead(path) ?? Absence.Of(path)
                ?? (e is not (FileNotFoundException or DirectoryNotFoundException) ? e.Message.TrimEnd('.')
                    : named is not null ? "there is no such file"
                    : null);
            string origin = named is null ? "" : $" ({TokenPathVariable})";
            unread = reason is null ? null : $"The token file {path}{origin} was not read: {reason}.";
            return null;
        }
    }

    private static HubToken Checked(HubToken token) => OptionValue.IsSendable(token.Value)
        ? token
        : throw new WeightSourceException(token.Origin, "the token " + OptionValue.Unsendable);

    private string? Folder(string name) => Text(name, variable) is { } text ? HomePath.Expand(text) : null;

    private static string? Text(string name, Func<string, string?> variable) => variable(name)?.Trim() is { Length: > 0 } text ? text : null;

    private static Uri? FromText(string? text) => text is null ? null
        : Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https" ? address
        : throw new WeightSourceException("HF_ENDPOINT", "this is not an http or https URL.");

    private static Uri Plain(Uri address) => new($"{address.Scheme}://{address.Authority}{address.AbsolutePath.TrimEnd('/')}/");
}

/// <summary>A token of the hub.</summary>
/// <param name="Value">The secret.</param>
/// <param name="Origin">Where it was found, as it may be shown.</param>
internal sealed record HubToken(string Value, string Origin);
