using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using TypedWeights.Errors;
using TypedWeights.Format;

namespace TypedWeights.Sources.Http;

/// <summary>Checks the headers of a response before a byte of its body is used.</summary>
internal static class ResponseCheck
{
    /// <summary>The file's length that a 416 states; null for another status, or if it states none.</summary>
    public static long? LengthOfUnsatisfiable(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable ? RangeOf(response)?.Length : null;

    /// <summary>The length of the body, as the response announces it; null if it announces none.</summary>
    /// <param name="response">The response.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <remarks>
    /// A proxy may have joined two equal headers to one, <c>8, 8</c>, which the HTTP client does not read. A body in chunks ends with its
    /// last chunk, whatever its Content-Length is (RFC 9112, 6.3); the HTTP client reads it so.
    /// </remarks>
    /// <exception cref="WeightSourceException">The response announces several lengths.</exception>
    public static long? LengthOf(HttpResponseMessage response, string display)
    {
        if (response.Headers.NonValidated.Contains("Transfer-Encoding") && response.Headers.TransferEncodingChunked == true)
        {
            return null;
        }

        string text = Distinct(response.Content.Headers, "Content-Length");
        return !text.Contains(',')
            ? long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long length) ? length : null
            : throw new WeightSourceException(
                display,
                $"the server announced more than one length of the body (Content-Length: {ForeignText.Show(text, response.RequestMessage)}).");
    }

    /// <summary>The value of a header, which may be repeated; null if the header is absent or has several values.</summary>
    public static string? Single(HttpHeaders headers, string name) =>
        Distinct(headers, name) is { Length: > 0 } value && !value.Contains(',') ? value : null;

    /// <summary>Throws unless a response is a part, uncompressed, of a file.</summary>
    /// <param name="response">The response.</param>
    /// <param name="isElsewhere">Whether redirects led to another origin.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <returns>Which part. Its first and last byte are known, and the file's length if the server knows it.</returns>
    public static ContentRangeHeaderValue Part(HttpResponseMessage response, bool isElsewhere, string display)
    {
        if (response.StatusCode != HttpStatusCode.PartialContent)
        {
            ThrowIfPage(response, display);
            throw HttpFailure.Of(response, isElsewhere, display);
        }

        ThrowIfCompressed(response, display);
        if (IsOfType(response, "multipart/byteranges"))
        {
            throw new WeightSourceException(display, "the server responded to one range with several parts (multipart/byteranges).");
        }

        string text = Distinct(response.Content.Headers, "Content-Range");
        return RangeOf(response) is { From: not null, To: not null } range
            ? range
            : throw new WeightSourceException(display, text.Contains(',')
                ? "the server sent a part (206) with several values of Content-Range, which is ambiguous: "
                    + $"{ForeignText.Show(text, response.RequestMessage)}."
                : "the server sent a part (206) without a Content-Range in bytes that states its start and end.");
    }

    /// <summary>Throws unless a response is the whole file, uncompressed.</summary>
    /// <param name="response">The response.</param>
    /// <param name="isElsewhere">Whether redirects led to another origin.</param>
    /// <param name="display">The file as it may be shown.</param>
    public static void ThrowUnlessWhole(HttpResponseMessage response, bool isElsewhere, string display)
    {
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw HttpFailure.Of(response, isElsewhere, display);
        }

        ThrowIfCompressed(response, display);
        ThrowIfPage(response, display);
    }

    /// <summary>Throws unless a part begins where it should, ends within the request, and has a body of its length.</summary>
    /// <param name="response">The response.</param>
    /// <param name="range">The result of <see cref="Part"/>.</param>
    /// <param name="offset">The first byte of the request.</param>
    /// <param name="length">The number of bytes of the request.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <returns>The number of bytes that follow, at least one: a server may send fewer than requested (RFC 9110, 15.3.7).</returns>
    public static long LengthOfPart(
        HttpResponseMessage response, ContentRangeHeaderValue range, long offset, long length, string display)
    {
        if (range.From != offset || range.To > offset + length - 1)
        {
            throw new WeightSourceException(
                display, $"the server responded to the range {offset}-{offset + length - 1} with Content-Range: {range}.");
        }

        long sent = range.To!.Value - offset + 1;
        return LengthOf(response, display) is not { } announced || announced == sent
            ? sent
            : throw new WeightSourceException(
                display, $"the server responded to a range of {sent} bytes with a body of {announced} (Content-Length, with "
                    + $"Content-Range: {range}).");
    }

    /// <summary>Throws if a body is compressed: it has other offsets than the file.</summary>
    public static void ThrowIfCompressed(HttpResponseMessage response, string display)
    {
        // Nearly every response has neither header, and the typed properties allocate.
        if (!response.Content.Headers.NonValidated.Contains("Content-Encoding")
            && !response.Headers.NonValidated.Contains("Transfer-Encoding"))
        {
            return;
        }

        string[] encodings =
        [
            .. response.Content.Headers.ContentEncoding.Where(static name => !name.Equals("identity", StringComparison.OrdinalIgnoreCase)),
            .. response.Headers.TransferEncoding.Select(static coding => coding.Value)
                .Where(static name => !name.Equals("chunked", StringComparison.OrdinalIgnoreCase)),
        ];
        if (encodings.Length > 0)
        {
            string shown = ForeignText.Show(string.Join(", ", encodings), response.RequestMessage);
            throw new WeightSourceException(display, $"the server compressed the body ({shown}) although the request does not allow it.");
        }
    }

    /// <summary>Throws if a 200 announces a web page.</summary>
    public static void ThrowIfPage(HttpResponseMessage response, string display)
    {
        if (response.StatusCode == HttpStatusCode.OK && IsOfType(response, "text/html"))
        {
            throw new WeightSourceException(display, "the server responded with " + FileSniffer.Page);
        }
    }

    /// <summary>Throws if the first bytes are those of a web page or a Git LFS pointer.</summary>
    public static void ThrowIfPage(ReadOnlySpan<byte> start, string display)
    {
        if (FileSniffer.DescribePage(start) is { } page)
        {
            throw new WeightSourceException(display, "the server responded with " + page);
        }
    }

    // The distinct values of a header, with commas between them; empty if the header is absent.
    private static string Distinct(HttpHeaders headers, string name)
    {
        string text = headers.NonValidated.TryGetValues(name, out HeaderStringValues values) ? values.ToString() : "";
        return text.Contains(',') ? string.Join(", ", text.Split(',', StringSplitOptions.TrimEntries).Distinct()) : text.Trim();
    }

    // The unit may be in any case. .NET's own parser reads the rest by RFC 9110.
    private static ContentRangeHeaderValue? RangeOf(HttpResponseMessage response) =>
        ContentRangeHeaderValue.TryParse(Single(response.Content.Headers, "Content-Range"), out ContentRangeHeaderValue? range)
        && range.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase)
            ? range
            : null;

    private static bool IsOfType(HttpResponseMessage response, string mediaType)
    {
        ReadOnlySpan<char> text =
            response.Content.Headers.NonValidated.TryGetValues("Content-Type", out HeaderStringValues values) ? values.ToString() : "";
        int parameters = text.IndexOf(';');
        return (parameters < 0 ? text : text[..parameters]).Trim().Equals(mediaType, StringComparison.OrdinalIgnoreCase);
    }
}
