using System.Text;

namespace TypedWeights.Sources.Http;

/// <summary>
/// URLs that are sent byte for byte as they were given: a signature covers the exact text, and <see cref="Uri"/> would turn <c>%7e</c> into
/// <c>~</c> and remove <c>/../</c>. Only spaces and letters beyond ASCII, which a request cannot contain, are escaped.
/// </summary>
internal static class ExactUri
{
    private static readonly UriCreationOptions AsGiven = new() { DangerousDisablePathAndQueryCanonicalization = true };

    /// <summary>Parses an absolute URL without its fragment.</summary>
    /// <returns>null if the text is not a URL.</returns>
    public static Uri? Read(string text) => Read(text, Encoding.UTF8);

    /// <summary>The same URL without user info.</summary>
    public static Uri WithoutUserInfo(Uri address) =>
        address.UserInfo.Length == 0 ? address : With(address, address.PathAndQuery);

    /// <summary>Another path and query of the same origin.</summary>
    /// <param name="address">The URL; its user info is left out.</param>
    /// <param name="pathAndQuery">The escaped path, which begins with <c>/</c>, and the query.</param>
    public static Uri With(Uri address, string pathAndQuery) => new($"{address.Scheme}://{address.Authority}{pathAndQuery}", AsGiven);

    /// <summary>The address of a <c>Location</c>.</summary>
    /// <param name="from">The address that redirects.</param>
    /// <param name="location">The header as it was sent, with a character for each byte.</param>
    /// <returns>null if the header is not a URL.</returns>
    public static Uri? Resolve(Uri from, string location)
    {
        (string text, Encoding encoding) = Decode(location.Split('#')[0].Trim());
        int end = text.AsSpan().IndexOfAny(":/?");
        if (end > 0 && text[end] == ':')
        {
            return Read(text, encoding);
        }

        string origin = $"{from.Scheme}://{from.Authority}";
        return text switch
        {
            "" => from,
            ['/', '/', ..] => Read($"{from.Scheme}:{text}", encoding),
            ['/', ..] => Read(origin + text, encoding),
            ['?', ..] => Read(origin + from.AbsolutePath + text, encoding),
            _ => Read(origin + Beside(from.AbsolutePath, text), encoding),
        };
    }

    private static Uri? Read(string text, Encoding encoding)
    {
        string whole = text.Split('#')[0].Trim();
        int authority = whole.IndexOf("://", StringComparison.Ordinal) + 3;
        if (authority < 3)
        {
            return null;
        }

        int end = whole.AsSpan(authority).IndexOfAny("/?\\");
        string before = end < 0 ? whole : whole[..(authority + end)];
        string after = end < 0 ? "/" : whole[(authority + end)..];
        string path = after[0] == '?' ? "/" + after : after;
        return Uri.TryCreate(before + Sendable(path, encoding), AsGiven, out Uri? address) ? address : null;
    }

    private static string Sendable(string text, Encoding encoding)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return text;
        }

        var escaped = new StringBuilder(text.Length + 16);
        foreach (byte b in encoding.GetBytes(text))
        {
            _ = b is >= (byte)'!' and <= (byte)'~' ? escaped.Append((char)b) : escaped.Append('%').Append(b.ToString("X2", null));
        }

        return escaped.ToString();
    }

    // "x" and "../x" relative to /a/b are /a/x and /x. Later dots stay as they are.
    private static string Beside(string path, string relative)
    {
        string folder = path[..(path.LastIndexOf('/') + 1)];
        while (relative.StartsWith("./", StringComparison.Ordinal) || relative.StartsWith("../", StringComparison.Ordinal))
        {
            bool isUp = relative[1] == '.';
            relative = relative[(isUp ? 3 : 2)..];
            folder = isUp && folder.Length > 1 ? folder[..(folder.LastIndexOf('/', folder.Length - 2) + 1)] : folder;
        }

        return folder + relative;
    }

    // Letters beyond ASCII are UTF-8, or else bytes that are sent back unchanged.
    private static (string Text, Encoding Encoding) Decode(string location)
    {
        if (location.Any(static c => c > 0xFF))
        {
            return (location, Encoding.UTF8);
        }

        byte[] bytes = Encoding.Latin1.GetBytes(location);
        return System.Text.Unicode.Utf8.IsValid(bytes) ? (Encoding.UTF8.GetString(bytes), Encoding.UTF8) : (location, Encoding.Latin1);
    }
}
