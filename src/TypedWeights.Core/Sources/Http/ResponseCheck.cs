using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using TypedWeights.Errors;
using TypedWeights.Format;

namespace TypedWeights.Sources.Http;

/// <summary>Checks the head of an answer before a byte of its body is believed.</summary>
internal static class ResponseCheck
{
    /// <summary>Whether a 416 says that the file has no bytes at all.</summary>
    public static bool IsEmptyFile(HttpResponseMessage answer) => LengthOfRefusal(answer) == 0;

    /// <summary>The file's length that a 416 gives; null where it gives none, or is none.</summary>
    public static long? LengthOfRefusal(HttpResponseMessage answer) =>
        answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable ? RangeOf(answer)?.Length : null;

    /// <summary>The length of the body, as the answer announces it; null where it does not.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <remarks>
    /// A proxy may have joined two equal headers to one, <c>8, 8</c>, which the HTTP client does not read. A body in chunks ends with its
    /// last chunk, whatever length stands beside them (RFC 9112, 6.3); the HTTP client reads it so.
    /// </remarks>
    /// <exception cref="WeightSourceException">The answer announces several lengths.</exception>
    public static long? LengthOf(HttpResponseMessage answer, string display)
    {
        if (answer.Headers.NonValidated.Contains("Transfer-Encoding") && answer.Headers.TransferEncodingChunked == true)
        {
            return null;
        }

        string[] lengths = Values(answer.Content.Headers, "Content-Length");
        return lengths.Length < 2
            ? lengths is [var text] && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long length) ? length : null
            : throw new WeightSourceException(
                display,
                "the server announced more than one length of the body (Content-Length: "
                    + $"{ForeignText.Show(string.Join(", ", lengths), answer.RequestMessage)}).");
    }

    /// <summary>The value of a header that has one, however often it was sent with that same value; null where it has none, or several.</summary>
    public static string? Single(HttpHeaders headers, string name) => Values(headers, name) is [{ Length: > 0 } one] ? one : null;

    /// <summary>Throws unless an answer is a part, uncompressed, of a file.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="isElsewhere">Whether redirects led to another origin.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <returns>Which part; begin and end are known, and the file's length where the server knows it.</returns>
    public static ContentRangeHeaderValue Part(HttpResponseMessage answer, bool isElsewhere, string display)
    {
        if (answer.StatusCode != HttpStatusCode.PartialContent)
        {
            ThrowIfPage(answer, display);
            throw HttpFailure.Of(answer, isElsewhere, display);
        }

        ThrowIfCompressed(answer, display);
        if (IsOfType(answer, "multipart/byteranges"))
        {
            throw new WeightSourceException(display, "the server answered one range with several parts (multipart/byteranges).");
        }

        return RangeOf(answer) is { From: not null, To: not null } range
            ? range
            : throw new WeightSourceException(display, HasSeveral(answer)
                ? "the server sent a part (206) with several values of Content-Range, so nobody can tell which part it is: "
                    + $"{ForeignText.Show(answer.Content.Headers.NonValidated["Content-Range"].ToString(), answer.RequestMessage)}."
                : "the server sent a part (206) without a Content-Range in bytes that gives its begin and its end.");
    }

    /// <summary>Throws unless an answer is the whole file, uncompressed.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="isElsewhere">Whether redirects led to another origin.</param>
    /// <param name="display">The file as it may be shown.</param>
    public static void ThrowUnlessWhole(HttpResponseMessage answer, bool isElsewhere, string display)
    {
        if (answer.StatusCode != HttpStatusCode.OK)
        {
            throw HttpFailure.Of(answer, isElsewhere, display);
        }

        ThrowIfCompressed(answer, display);
        ThrowIfPage(answer, display);
    }

    /// <summary>Throws unless a part begins where it was asked for, goes no further, and its body is as long.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="range">What <see cref="Part"/> gave.</param>
    /// <param name="offset">The first byte that was asked for.</param>
    /// <param name="length">The number of bytes that were asked for.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <returns>The number of bytes that come, at least one: a server may send fewer than were asked for (RFC 9110, 15.3.7).</returns>
    public static long LengthOfPart(
        HttpResponseMessage answer, ContentRangeHeaderValue range, long offset, long length, string display)
    {
        if (range.From != offset || range.To > offset + length - 1)
        {
            throw new WeightSourceException(
                display, $"the server answered the range {offset}-{offset + length - 1} with Content-Range: {range}.");
        }

        long sent = range.To!.Value - offset + 1;
        return LengthOf(answer, display) is not { } announced || announced == sent
            ? sent
            : throw new WeightSourceException(
                display, $"the server answered a range of {sent} bytes with a body of {announced} (Content-Length, with Content-Range: {range}).");
    }

    /// <summary>Throws where a body is compressed: it has other offsets than the file.</summary>
    public static void ThrowIfCompressed(HttpResponseMessage answer, string display)
    {
        if (!answer.Content.Headers.NonValidated.Contains("Content-Encoding")
            && !answer.Headers.NonValidated.Contains("Transfer-Encoding"))
        {
            return;
        }

        string[] encodings =
        [
            .. answer.Content.Headers.ContentEncoding.Where(static name => !name.Equals("identity", StringComparison.OrdinalIgnoreCase)),
            .. answer.Headers.TransferEncoding.Select(static coding => coding.Value)
                .Where(static name => !name.Equals("chunked", StringComparison.OrdinalIgnoreCase)),
        ];
        if (encodings.Length > 0)
        {
            string shown = ForeignText.Show(string.Join(", ", encodings), answer.RequestMessage);
            throw new WeightSourceException(display, $"the server compressed the body ({shown}) though it was asked not to.");
        }
    }

    /// <summary>Throws where a 200 announces a web page.</summary>
    public static void ThrowIfPage(HttpResponseMessage answer, string display)
    {
        if (answer.StatusCode == HttpStatusCode.OK
            && IsOfType(answer, "text/html"))
        {
            throw new WeightSourceException(display, "the server answered with " + FileSniffer.Page);
        }
    }

    /// <summary>Throws where the first bytes are those of a web page or a Git LFS pointer.</summary>
    public static void ThrowIfPage(ReadOnlySpan<byte> start, string display)
    {
        if (FileSniffer.DescribePage(start) is { } page)
        {
            throw new WeightSourceException(display, "the server answered with " + page);
        }
    }

    // Each value once.
    private static string[] Values(HttpHeaders headers, string name) => !headers.NonValidated.TryGetValues(name, out HeaderStringValues values) ? []
        : values.Count == 1 && values.ToString() is var one && !one.Contains(',') ? [one.Trim()]
        : [.. values.SelectMany(static value => value.Split(',')).Select(static value => value.Trim()).Distinct()];

    // The unit in any case; of .NET's own type, as that reads the rest as RFC 9110 has it.
    private static ContentRangeHeaderValue? RangeOf(HttpResponseMessage answer) =>
        ContentRangeHeaderValue.TryParse(Single(answer.Content.Headers, "Content-Range"), out ContentRangeHeaderValue? range)
        && range.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase)
            ? range
            : null;

    private static bool HasSeveral(HttpResponseMessage answer) =>
        answer.Content.Headers.NonValidated.TryGetValues("Content-Range", out HeaderStringValues values)
        && Single(answer.Content.Headers, "Content-Range") is null && values.ToString().Contains(',');

    // Without making anything of it: every answer is asked.
    private static bool IsOfType(HttpResponseMessage answer, string mediaType)
    {
        if (!answer.Content.Headers.NonValidated.TryGetValues("Content-Type", out HeaderStringValues values))
        {
            return false;
        }

        ReadOnlySpan<char> text = values.ToString();
        int parameters = text.IndexOf(';');
        return (parameters < 0 ? text : text[..parameters]).Trim().Equals(mediaType, StringComparison.OrdinalIgnoreCase);
    }
}
