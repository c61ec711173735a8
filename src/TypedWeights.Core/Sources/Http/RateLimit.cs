using System.Globalization;
using System.Text.RegularExpressions;

namespace TypedWeights.Sources.Http;

/// <summary>
/// When a server that counts requests accepts the next one: <c>RateLimit: "api";r=0;t=55</c> (IETF draft), or <c>RateLimit-Reset: 55</c> of
/// earlier drafts. It is used when <c>Retry-After</c> is missing.
/// </summary>
internal static partial class RateLimit
{
    // Far longer than a load waits.
    private const long Longest = 1_000_000_000;

    /// <summary>A wait of a number of seconds, which may have any length. Waits of more than thirty years are shortened to that.</summary>
    /// <param name="digits">Only digits.</param>
    public static TimeSpan Wait(string digits) => TimeSpan.FromSeconds(Math.Min(Number(digits), Longest));

    /// <returns>null if the response states none.</returns>
    public static TimeSpan? ResetOf(HttpResponseMessage response)
    {
        // Of several limits, the one that is used up counts.
        (bool IsUsedUp, long Seconds)[] limits =
        [
            .. Values(response, "RateLimit").SelectMany(static value => value.Split(',')).Select(Limit).OfType<(bool, long)>(),
            .. Values(response, "RateLimit-Reset").Select(static value => Reset().Match(value)).Where(static match => match.Success)
                .Select(static match => (IsUsedUp: true, Seconds(match.Groups[1].Value))),
        ];
        return limits.Length == 0 ? null : TimeSpan.FromSeconds(limits.OrderBy(static limit => limit).Last().Seconds);
    }

    private static (bool IsUsedUp, long Seconds)? Limit(string item) => Time().Match(item) is { Success: true } time
        ? (Remaining().Match(item) is not { Success: true } left || left.Groups[1].Value.All(static c => c == '0'), Seconds(time.Groups["t"].Value))
        : null;

    private static IEnumerable<string> Values(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values : [];

    // A very large number is a date in seconds, which some servers send, or longer than a load waits.
    private static long Seconds(string digits) => Number(digits) is var seconds && seconds > Longest
        ? Math.Clamp(seconds - DateTimeOffset.UtcNow.ToUnixTimeSeconds(), 0, Longest)
        : seconds;

    private static long Number(string digits) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : long.MaxValue;

    [GeneratedRegex(@";\s*t=(?<t>[0-9]+)|(?<=^|\s)reset=(?<t>[0-9]+)", RegexOptions.IgnoreCase)]
    private static partial Regex Time();

    [GeneratedRegex(@";\s*r=([0-9]+)", RegexOptions.IgnoreCase)]
    private static partial Regex Remaining();

    [GeneratedRegex(@"^\s*([0-9]+)\s*$")]
    private static partial Regex Reset();
}
