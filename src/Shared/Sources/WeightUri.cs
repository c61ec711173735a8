using System.Diagnostics.CodeAnalysis;

namespace TypedWeights.Sources;

/// <summary>
/// Where weights come from: a path or a URI, together with the only text of it that may be shown, stored or compared.
/// </summary>
/// <remarks>
/// <see cref="Display"/> has no user info, no fragment, and of a query only the parameters that name a version
/// (<c>versionId</c>, <c>snapshot</c>, <c>generation</c>, <c>revision</c>, <c>download</c>): signatures and tokens live in the rest. It is what
/// snapshots, generated code, logs and errors carry, and two texts name the same source when their displays are equal.
/// </remarks>
#if TYPEDWEIGHTS_CORE
public
#else
internal
#endif
sealed class WeightUri : IEquatable<WeightUri>
{
    private static readonly string[] ShownParameters = ["versionId", "versionid", "snapshot", "generation", "revision", "download"];

    private static readonly string[] KnownSchemes = ["file", "http", "https", "hf", "s3", "gs", "az", "anyscale"];

    private WeightUri(string original, string scheme, string display)
    {
        Original = original;
        Scheme = scheme;
        Display = display;
    }

    /// <summary>The scheme in lower case; <c>file</c> for a plain path.</summary>
    public string Scheme { get; }

    /// <summary>The canonical text without secrets.</summary>
    public string Display { get; }

    /// <summary>The text as it was passed in. It may contain secrets: a store opens the source by it, and no message shows it.</summary>
    public string Original { get; }

    /// <summary>Whether the text was a path and not a URI.</summary>
    public bool IsPath => Scheme == "file" && !Original.StartsWith("file:", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a path or URI.</summary>
    /// <param name="text">A path, or <c>scheme://…</c>.</param>
    /// <exception cref="FormatException">The text is empty or not a URI; the message does not repeat it.</exception>
    public static WeightUri Parse(string text) =>
        TryParse(text, out WeightUri? uri, out string error) ? uri : throw new FormatException(error);

    /// <summary>Reads a path or URI.</summary>
    /// <param name="text">A path, or <c>scheme://…</c>.</param>
    /// <param name="uri">The result, or null.</param>
    /// <param name="error">What is wrong with the text, without repeating it; empty if it is valid.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out WeightUri? uri, out string error)
    {
        (uri, error) = Read(text ?? "");
        return uri is not null;
    }

    /// <inheritdoc/>
    public bool Equals(WeightUri? other) => other is not null && Display == other.Display;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as WeightUri);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Display);

    /// <summary>The text that may be shown: <see cref="Display"/>.</summary>
    public override string ToString() => Display;

    private static (WeightUri? Uri, string Error) Read(string text)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Any(char.IsControl))
        {
            return (null, $"The URI of the weights {(string.IsNullOrWhiteSpace(text) ? "is empty" : "contains a control character")}.");
        }

        int length = SchemeLength(text);
        if (length == 0)
        {
            return text.Contains("://") && text.IndexOf(':') != 1
                ? (null, "The URI of the weights does not start with a scheme and is not a path (the text is not shown because it may contain a "
                    + "password).")
                : HasLogin(text)
                ? (null, "The URI of the weights has a user name or password but no scheme; write https:// before it (the text is not shown "
                    + "because it may contain a password).")
                : (new WeightUri(text, "file", text.Replace('\\', '/')), "");
        }

        string scheme = text.Substring(0, length).ToLowerInvariant();
        string rest = text.Substring(length + 1);
        if (scheme == "file")
        {
            return ReadFile(text, rest);
        }

        // What is nearly a URI must not pass as a path, which is shown as it is: "https:/user:password@host".
        if (!rest.StartsWith("//", StringComparison.Ordinal))
        {
            return (null, $"\"{scheme}:\" must be followed by \"//\" (the text is not shown because it may contain a password).");
        }

        string authority = Before(rest.Substring(2), '/', '\\', '?', '#');
        string after = rest.Substring(2 + authority.Length);

        // hf://gpt2@main has a revision where other schemes have user info.
        string host = scheme == "hf" ? authority : authority.Substring(authority.LastIndexOf('@') + 1);
        if (after is ['\\', ..] || !TryCanonicalHost(scheme, host, out host))
        {
            return (null, $"The {scheme} URI of the weights has no valid host and port (the text is not shown because it may contain a password).");
        }

        string path = scheme == "gs" ? Before(after, '?') : Before(after, '?', '#');
        string query = ShownQuery(after.Substring(path.Length));
        return (new WeightUri(text, scheme, scheme + "://" + host + (scheme == "gs" ? WithGeneration(path) : path) + query), "");
    }

    // 0 for a path. One letter is a drive; a colon followed by neither slash is a part of a file's name, unless the name before it is a
    // scheme that this library knows.
    private static int SchemeLength(string text)
    {
        int colon = text.IndexOf(':');
        if (colon < 2 || !IsScheme(text, colon))
        {
            return 0;
        }

        bool slash = colon + 1 < text.Length && text[colon + 1] is '/' or '\\';
        return slash || KnownSchemes.Contains(text.Substring(0, colon), StringComparer.OrdinalIgnoreCase) ? colon : 0;
    }

    private static bool IsScheme(string text, int length)
    {
        for (int i = 0; i < length; i++)
        {
            char c = text[i];
            bool letter = c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z');
            if (!letter && (i == 0 || !(c is (>= '0' and <= '9') or '+' or '-' or '.')))
            {
                return false;
            }
        }

        return true;
    }

    // "user:password@host/…" must not pass as a path, which is shown as it is; nor with slashes before it, or with "https//" (no colon).
    private static bool HasLogin(string text)
    {
        string slashed = text.Replace('\\', '/');
        int authority = slashed.IndexOf("//", StringComparison.Ordinal);
        return BeginsWithLogin(slashed) || (authority > 0 && BeginsWithLogin(slashed.Substring(authority)));
    }

    private static bool BeginsWithLogin(string slashed)
    {
        string first = Before(slashed.TrimStart('/'), '/');
        int colon = first.IndexOf(':');
        return colon >= 0 && first.IndexOf('@', colon) > colon;
    }

    // file:/path, file:///path and file://machine/path.
    private static (WeightUri? Uri, string Error) ReadFile(string text, string rest)
    {
        string location = Before(rest, '?', '#').Replace('\\', '/');
        bool hasHost = location.StartsWith("//", StringComparison.Ordinal);
        string host = hasHost ? Before(location.Substring(2), '/') : "";
        string path = hasHost ? location.Substring(2 + host.Length) : location;
        return path is ['/', ..] && host.All(IsHostCharacter)
            ? (new WeightUri(text, "file", "file://" + host + path), "")
            : (null, "The file URI of the weights is not valid; write file:///folder/model.safetensors, or the plain path.");
    }

    private static bool TryCanonicalHost(string scheme, string host, out string canonical)
    {
        canonical = host;
        if (host.Length == 0 || !host.All(c => IsHostCharacter(c) || (c == '@' && scheme == "hf") || (c == ':' && scheme != "hf")))
        {
            return false;
        }

        // A colon inside brackets belongs to an IPv6 address.
        int colon = host.LastIndexOf(':');
        string port = colon > host.LastIndexOf(']') ? host.Substring(colon + 1) : "";
        string name = colon > host.LastIndexOf(']') ? host.Substring(0, colon) : host;
        if (name.Length == 0 || port.Length > 5 || !port.All(static c => c is >= '0' and <= '9'))
        {
            return false;
        }

        bool web = scheme is "http" or "https";
        string implied = scheme switch { "http" => "80", "https" => "443", _ => "" };
        canonical = (web ? name.ToLowerInvariant() : name) + (port == implied || port.Length == 0 ? "" : ":" + port);
        return true;
    }

    // What a host's name or a bucket's consists of. An escape (%40) is not in it: it could hide user info.
    private static bool IsHostCharacter(char c) => char.IsLetterOrDigit(c) || c is '-' or '.' or '_' or '[' or ']';

    // gs://bucket/object#17 is how Google writes a generation; any other # is the object's own.
    private static string WithGeneration(string path)
    {
        int mark = path.LastIndexOf('#');
        bool isGeneration = mark > 0 && mark < path.Length - 1 && path.Skip(mark + 1).All(static c => c is >= '0' and <= '9');
        return isGeneration ? path.Remove(mark) + "?generation=" + path.Remove(0, mark + 1) : path;
    }

    private static string ShownQuery(string query)
    {
        IEnumerable<string> shown = Before(query, '#').TrimStart('?').Split('&').Where(IsShown);
        string joined = string.Join("&", shown);
        return joined.Length == 0 ? "" : "?" + joined;
    }

    // A version is letters, digits and a few marks, in Azure a time; anything else (";sig=…", a URL within the URL) could carry a secret.
    private static bool IsShown(string pair)
    {
        string name = Before(pair, '=');
        return ShownParameters.Contains(name, StringComparer.Ordinal)
            && !pair.Contains(":/")
            && pair.Skip(name.Length + 1).All(static c => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9')
                or '.' or '_' or '-' or '~' or '/' or '+' or '%' or '=' or ':');
    }

    private static string Before(string text, params char[] ends)
    {
        int end = text.IndexOfAny(ends);
        return end < 0 ? text : text.Substring(0, end);
    }
}
