using System.Security.Cryptography;
using System.Text;

namespace TypedWeights.Sources;

/// <summary>The parameters in the query of a URI that are not shown.</summary>
internal static class HiddenParameters
{
    // Shared access signatures, presigned and CDN links, tokens; and the region of a bucket.
    private static readonly HashSet<string> Logins = new(StringComparer.OrdinalIgnoreCase)
    {
        "sv", "ss", "srt", "sr", "sp", "st", "se", "spr", "sip", "si", "sig", "ses", "sdd", "skoid", "sktid", "skt", "ske", "sks", "skv",
        "saoid", "suoid", "scid", "rscc", "rscd", "rsce", "rscl", "rsct", "AWSAccessKeyId", "GoogleAccessId", "Signature", "Expires", "Policy",
        "Key-Pair-Id", "token", "access_token", "private_token", "api_key", "region",
    };

    /// <summary>Whether two URIs with the same display may name two files: <c>…/get?file=a</c> and <c>…/get?file=b</c>.</summary>
    public static bool MayTellFilesApart(WeightUri uri) => Telling(uri).Length > 0;

    /// <summary>
    /// A text that differs for each of those URIs: the display, and a hash of the hidden parameters. A server may tag files by length and time
    /// alone, so that no response distinguishes them.
    /// </summary>
    public static string Distinguish(WeightUri uri)
    {
        string[] telling = Telling(uri);
        return telling.Length == 0 ? uri.Display : uri.Display + (uri.Display.Contains('?', StringComparison.Ordinal) ? "&" : "?")
            + "parameters:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('&', telling))))[..16];
    }

    private static string[] Telling(WeightUri uri)
    {
        HashSet<string> shown = [.. Pairs(uri.Display)];
        return [.. Pairs(uri.Original).Where(pair => !shown.Contains(pair) && !IsLogin(pair.Split('=')[0])).Order(StringComparer.Ordinal)];
    }

    private static string[] Pairs(string text)
    {
        string whole = text.Split('#')[0];
        int query = whole.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? [] : whole[(query + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries);
    }

    private static bool IsLogin(string name) => Logins.Contains(name)
        || name.StartsWith("X-Amz-", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("X-Goog-", StringComparison.OrdinalIgnoreCase);
}
