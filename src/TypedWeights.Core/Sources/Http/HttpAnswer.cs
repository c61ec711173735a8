using System.Net;
using System.Net.Http.Headers;
using TypedWeights.Format;

namespace TypedWeights.Sources.Http;

/// <summary>Checks the head of an answer before a byte of its body is believed.</summary>
internal static class HttpAnswer
{
    /// <summary>Whether a 416 says that the file has no bytes at all.</summary>
    public static bool IsEmptyFile(HttpResponseMessage answer) => LengthOfRefusal(answer) == 0;

    /// <summary>The file's length that a 416 gives; null where it gives none, or is none.</summary>
    public static long? LengthOfRefusal(HttpResponseMessage answer) =>
        answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable ? answer.Content.Headers.ContentRange?.Length : null;

    /// <summary>Throws unless an answer is a part, uncompressed, of a file whose length it gives.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="isElsewhere">Whether redirects led to another origin.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <returns>Which part; begin, end and the file's length are known.</returns>
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

        return answer.Content.Headers.ContentRange is { Unit: "bytes", From: not null, To: not null, Length: not null } range
            ? range
            : throw new WeightSourceException(
                display,
                "the server sent a part (206) without a Content-Range in bytes that gives its begin, its end and the file's length.");
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

    /// <summary>Throws unless a part is the one that was asked for, and its body as long.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="range">What <see cref="Part"/> gave.</param>
    /// <param name="offset">The first byte that was asked for.</param>
    /// <param name="length">The number of bytes that the part should have.</param>
    /// <param name="display">The file as it may be shown.</param>
    public static void ThrowUnlessExact(
        HttpResponseMessage answer, ContentRangeHeaderValue range, long offset, long length, string display)
    {
        if (range.From != offset || range.To != offset + length - 1)
        {
            throw new WeightSourceException(
                display, $"the server answered the range {offset}-{offset + length - 1} with Content-Range: {range}.");
        }

        if (answer.Content.Headers.ContentLength is { } announced && announced != length)
        {
            throw new WeightSourceException(
                display, $"the server answered a range of {length} bytes with a body of {announced} (Content-Length).");
        }
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
            throw new WeightSourceException(
                display, $"the server compressed the body ({string.Join(", ", encodings)}) though it was asked not to.");
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

    /// <summary>The error for a 200 without a length. A page often comes so, and what it is says more than what it lacks.</summary>
    public static async ValueTask<WeightSourceException> EndlessAsync(
        HttpResponseMessage answer, string display, CancellationToken cancellationToken)
    {
        try
        {
            byte[] start = new byte[FileSniffer.Wanted];
            int count = await answer.Content.ReadAsStream(cancellationToken)
                .ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            ThrowIfPage(start.AsSpan(0, count), display);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            // What is known already is the better error.
        }

        return Endless(display);
    }

    /// <summary>The error for a 200 without a length.</summary>
    public static WeightSourceException Endless(string display) => new(
        display,
        "the server ignores range requests and does not say how long the file is (Content-Length); "
            + "fetch it with another program, such as curl, and load it from disk.");

    /// <summary>Throws where the first bytes are those of a web page or a Git LFS pointer.</summary>
    public static void ThrowIfPage(ReadOnlySpan<byte> start, string display)
    {
        if (FileSniffer.DescribePage(start) is { } page)
        {
            throw new WeightSourceException(display, "the server answered with " + page);
        }
    }

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
