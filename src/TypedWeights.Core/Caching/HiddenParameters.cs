using TypedWeights.Sources;

namespace TypedWeights.Caching;

/// <summary>What a URI has in its query and does not show.</summary>
internal static class HiddenParameters
{
    // Shared access signatures, presigned and CDN links, tokens; and where a bucket is.
    private static readonly HashSet<string> Logins = new(StringComparer.OrdinalIgnoreCase)
    {
        "sv", "ss", "srt", "sr", "sp", "st", "se", "spr", "sip", "si", "sig", "ses", "sdd", "skoid", "sktid", "skt", "ske", "sks", "skv",
        "saoid", "suoid", "scid", "rscc", "rscd", "rsce", "rscl", "rsct", "AWSAccessKeyId", "GoogleAccessId", "Signature", "Expires", "Policy",
        "Key-Pair-Id", "token", "access_token", "private_token", "api_key", "region",
    };

    /// <summary>Whether two URIs that are shown alike may name two files: <c>…/get?file=a</c> and <c>…/get?file=b</c>.</summary>
    public static bool MayTellFilesApart(WeightUri uri)
    {
        HashSet<string> shown = [.. Pairs(uri.Display)];
        return Pairs(uri.Original).Any(pair => !shown.Contains(pair) && !IsLogin(pair.Split('=')[0]));
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
