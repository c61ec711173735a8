using System.Net;
using TypedWeights.Errors;

namespace TypedWeights.Sources.Http;

/// <summary>Describes an error response in one sentence, without the secrets of a URL.</summary>
internal static class HttpFailure
{
    private const string Signed = "the credentials do not grant access to this file, or a signed URL has expired";

    /// <param name="response">A response that is neither the requested part nor the whole file.</param>
    /// <param name="isElsewhere">Whether redirects led to another origin, which gets no credentials.</param>
    /// <param name="display">The file as it may be shown.</param>
    public static WeightSourceException Of(HttpResponseMessage response, bool isElsewhere, string display)
    {
        int status = (int)response.StatusCode;
        string away = isElsewhere ? " It redirected to another origin, and credentials are not sent there." : "";
        return response.StatusCode switch
        {
            HttpStatusCode.OK => new WeightSourceException(
                display,
                "the server ignores range requests (it responded to one with 200 and the whole file); "
                    + "try again, or fetch the file with another program, such as curl, and load it from disk."),
            HttpStatusCode.Unauthorized => new WeightSourceException(
                display, "the server requires credentials (401), or rejected those that were sent." + away),
            HttpStatusCode.Forbidden => new WeightSourceException(
                display,
                "access was denied (403): "
                    + $"{(SignedPeriod.Describe(response) is { } period ? "the signature of the URL " + period : Signed)}." + away),
            HttpStatusCode.NotFound or HttpStatusCode.Gone => new WeightSourceException(
                display, $"there is no such file on the server ({status}).")
            {
                IsNotFound = true,
            },
            HttpStatusCode.PreconditionFailed => Changed("its ETag has changed", display),
            HttpStatusCode.RequestedRangeNotSatisfiable => new WeightSourceException(
                display, "the server does not have this range (416): the file has become shorter, or the server refuses range requests."),
            _ when IsTransient(status) => new WeightSourceException(
                display,
                $"the server is not available now ({StatusOf(response)}).")
            {
                IsTransient = true,
                RetryAfter = RetryAfter(response),
                IsThrottled = status is 429 or 503,
            },
            _ => new WeightSourceException(display, $"the server responded with {StatusOf(response)}."),
        };
    }

    public static WeightSourceException Changed(string how, string display) =>
        new(display, $"the file was replaced while it was read ({how}); load it again.");

    private static string StatusOf(HttpResponseMessage response) =>
        $"{(int)response.StatusCode} {ForeignText.Show(response.ReasonPhrase, response.RequestMessage)}".TrimEnd();

    // 501, 505 and 511 are permanent. The other 5xx, some of them defined by CDNs, are temporary.
    private static bool IsTransient(int status) => status is 408 or 429 or (>= 500 and <= 599 and not (501 or 505 or 511));

    // A date is compared with the clock of the server.
    private static TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        TimeSpan? wait = response.Headers.RetryAfter switch
        {
            // .NET reads at most 31 bits.
            _ when ResponseCheck.Single(response.Headers, "Retry-After") is { } text && text.All(char.IsAsciiDigit) => RateLimit.Wait(text),
            { Delta: { } delta } => delta,
            { Date: { } date } => date - (response.Headers.Date ?? DateTimeOffset.UtcNow),
            _ => RateLimit.ResetOf(response),
        };
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}
