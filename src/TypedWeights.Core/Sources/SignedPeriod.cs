using System.Globalization;

namespace TypedWeights.Sources;

/// <summary>The period in which a signed URL is valid. Its dates are not secret; its signature is.</summary>
internal static class SignedPeriod
{
    // Clocks may differ by this much.
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(1);

    /// <summary>Describes why the period of a signed URL does not include the time of an error response.</summary>
    /// <returns>null if the signature states no period, or the period includes that time.</returns>
    public static string? Describe(HttpResponseMessage errorResponse)
    {
        if (errorResponse.RequestMessage?.RequestUri?.Query is not { Length: > 1 } query)
        {
            return null;
        }

        ILookup<string, string> parameters = query[1..].Split('&').Select(static pair => pair.Split('=', 2)).ToLookup(
            static pair => pair[0], static pair => Uri.UnescapeDataString(pair.ElementAtOrDefault(1) ?? ""), StringComparer.Ordinal);
        DateTimeOffset now = errorResponse.Headers.Date ?? DateTimeOffset.UtcNow;
        (DateTimeOffset? start, DateTimeOffset? end) = Period(parameters);
        return end + Leeway < now ? $"expired at {Text(end!.Value)}; the server's time is {Text(now)}"
            : start - Leeway > now ? $"is not valid before {Text(start!.Value)}; the server's time is {Text(now)}"
            : null;
    }

    // A shared access signature of Azure, a presigned URL of S3 or Google (version 4), and their earlier versions.
    private static (DateTimeOffset? Start, DateTimeOffset? End) Period(ILookup<string, string> parameters)
    {
        if (parameters.Contains("sig"))
        {
            return (Time(parameters["st"]), Time(parameters["se"]));
        }

        foreach (string store in (string[])["X-Amz-", "X-Goog-"])
        {
            bool isDated = DateTimeOffset.TryParseExact(
                parameters[store + "Date"].FirstOrDefault(),
                "yyyyMMdd'T'HHmmss'Z'",
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out DateTimeOffset start);
            if (isDated && int.TryParse(parameters[store + "Expires"].FirstOrDefault(), CultureInfo.InvariantCulture, out int seconds))
            {
                return (start, start.AddSeconds(Math.Clamp(seconds, 0, 366 * 24 * 3600)));
            }
        }

        return parameters.Contains("Signature") && long.TryParse(parameters["Expires"].FirstOrDefault(), CultureInfo.InvariantCulture, out long unix)
            && unix is > 0 and < 253402300800
            ? (null, DateTimeOffset.FromUnixTimeSeconds(unix))
            : (null, null);
    }

    private static DateTimeOffset? Time(IEnumerable<string> values) => DateTimeOffset.TryParse(
        values.FirstOrDefault(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
        ? time
        : null;

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
}
