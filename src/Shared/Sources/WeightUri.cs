namespace TypedWeights.Sources;

/// <summary>
/// Where weights come from: a path or a URI, together with the only text of it that may be shown, stored or compared.
/// </summary>
/// <remarks>
/// <see cref="Display"/> has no user info, no fragment, and of a query only the parameters that name a version
/// (<c>versionId</c>, <c>generation</c>, <c>revision</c>, <c>download</c>): signatures and tokens live in the rest. It is what
/// snapshots, generated code, logs and errors carry, and two texts name the same source when their displays are equal.
/// </remarks>
#if TYPEDWEIGHTS_CORE
public
#else
internal
#endif
sealed class WeightUri : IEquatable<WeightUri>
{
    private static readonly string[] ShownParameters = ["versionId", "generation", "revision", "download"];

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

    /// <summary>The text as it was given. It may hold secrets: it is used to open the source and never printed.</summary>
    internal string Original { get; }

    /// <summary>Whether the text was a path and not a URI.</summary>
    public bool IsPath => Scheme == "file" && !Original.StartsWith("file:", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a path or URI.</summary>
    /// <param name="text">A path, or <c>scheme://…</c>.</param>
    /// <exception cref="FormatException">The text is empty or not a URI; the message does not repeat it.</exception>
    public static WeightUri Parse(string text) =>
        TryParse(text, out WeightUri? uri, out string error) ? uri! : throw new FormatException(error);

    /// <summary>Reads a path or URI.</summary>
    /// <param name="text">A path, or <c>scheme://…</c>.</param>
    /// <param name="uri">The result, or null.</param>
    /// <param name="error">What is wrong with the text, without repeating it; empty when nothing is.</param>
    public static bool TryParse(string? text, out WeightUri? uri, out string error)
    {
        uri = null;
        error = "";
        if (string.IsNullOrWhiteSpace(text))
        {
            error = "The URI of the weights is empty.";
            return false;
        }

        if (text.Contains('\0'))
        {
            error = "The URI of the weights holds a NUL character.";
            return false;
        }

        int colon = text!.IndexOf("://", StringComparison.Ordinal);
        if (colon <= 0 || !IsScheme(text, colon))
        {
            uri = new WeightUri(text, "file", text.Replace('\\', '/'));
            return true;
        }

        string scheme = text.Substring(0, colon).ToLowerInvariant();
        string rest = text.Substring(colon + 3);
        if (scheme == "file")
        {
            uri = new WeightUri(text, scheme, "file://" + Before(rest, '?', '#'));
            return true;
        }

        string authority = Before(rest, '/', '?', '#');
        string after = rest.Substring(authority.Length);

        // hf://gpt2@main has a revision where other schemes have user info.
        string host = scheme == "hf" ? authority : authority.Substring(authority.LastIndexOf('@') + 1);
        if (!TryCanonicalHost(scheme, host, out host))
        {
            error = $"The {scheme} URI of the weights has no valid host and port (its text is withheld, it may hold a password).";
            return false;
        }

        string path = Before(after, '?', '#');
        uri = new WeightUri(text, scheme, scheme + "://" + host + path + ShownQuery(after.Substring(path.Length)));
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(WeightUri? other) => other is not null && Display == other.Display;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as WeightUri);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Display);

    /// <summary>The text that may be shown: <see cref="Display"/>.</summary>
    public override string ToString() => Display;

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

    private static bool TryCanonicalHost(string scheme, string host, out string canonical)
    {
        canonical = host;
        if (scheme is not ("http" or "https"))
        {
            return host.Length > 0;
        }

        // A colon inside brackets belongs to an IPv6 address.
        int colon = host.LastIndexOf(':');
        string port = colon > host.LastIndexOf(']') ? host.Substring(colon + 1) : "";
        string name = colon > host.LastIndexOf(']') ? host.Substring(0, colon) : host;
        string implied = scheme == "http" ? "80" : "443";
        canonical = name.ToLowerInvariant() + (port.Length == 0 || port == implied ? "" : ":" + port);
        return name.Length > 0 && port.Length <= 5 && port.All(static c => c is >= '0' and <= '9');
    }

    private static string ShownQuery(string query)
    {
        IEnumerable<string> shown = Before(query, '#').TrimStart('?').Split('&')
            .Where(static pair => ShownParameters.Contains(Before(pair, '='), StringComparer.Ordinal));
        string joined = string.Join("&", shown);
        return joined.Length == 0 ? "" : "?" + joined;
    }

    private static string Before(string text, params char[] ends)
    {
        int end = text.IndexOfAny(ends);
        return end < 0 ? text : text.Substring(0, end);
    }
}
