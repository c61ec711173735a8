using System.Globalization;
using System.Text.RegularExpressions;

namespace TypedWeights.Sources.Http;

/// <summary>
/// When a server that counts requests takes the next one: <c>RateLimit: "api";r=0;t=55</c> (IETF draft), or <c>RateLimit-Reset: 55</c> of
/// the drafts before. It stands in for a missing <c>Retry-After</c>.
/// </summary>
internal static partial class RateLimit
{
    // Far beyond what a load waits.
    private const long Longest = 1_000_000_000;

    /// <summary>What a number of seconds of any length means; one that is longer than thirty years is cut to that.</summary>
    /// <param name="digits">Digits alone.</param>
    public static TimeSpan Wait(string digits) => TimeSpan.FromSeconds(Math.Min(Number(digits), Longest));

    /// <returns>null where the answer does not say.</returns>
    public static TimeSpan? ResetOf(HttpResponseMessage answer)
    {
        // Several limits may be named: it is the one that is used up that is waited for.
        (bool IsUsedUp, long Seconds)[] limits =
        [
            .. Values(answer, "RateLimit").SelectMany(static value => value.Split(',')).Select(Limit).OfType<(bool, long)>(),
            .. Values(answer, "RateLimit-Reset").Select(static value => Reset().Match(value)).Where(static match => match.Success)
                .Select(static match => (IsUsedUp: true, Seconds(match.Groups[1].Value))),
        ];
        return limits.Length == 0 ? null : TimeSpan.FromSeconds(limits.OrderBy(static limit => limit).Last().Seconds);
    }

    private static (bool IsUsedUp, long Seconds)? Limit(string item) => Time().Match(item) is { Success: true } time
        ? (Remaining().Match(item) is not { Success: true } left || left.Groups[1].Value.All(static c => c == '0'), Seconds(time.Groups["t"].Value))
        : null;

    private static IEnumerable<string> Values(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values : [];

    // More than a day is a date in seconds, which some servers send, or makes no difference: a load does not wait that long.
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
