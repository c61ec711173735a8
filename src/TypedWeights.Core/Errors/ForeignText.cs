namespace TypedWeights.Errors;

/// <summary>
/// Makes text that came from outside (a reason phrase, a header, a store's error, an exception of the HTTP client) fit to be quoted: without
/// the secrets of the request, without characters that do not show, and no longer than a sentence. Every message that quotes such text has it
/// from here.
/// </summary>
internal static class ForeignText
{
    private const int Longest = 400;

    // How much is looked at: a reason phrase may have 64 KiB. Nothing behind that is shown.
    private const int Looked = 4000;

    /// <param name="text">The text; null for none.</param>
    /// <param name="request">The request of the response; null if there is none.</param>
    /// <param name="isFree">
    /// Whether the text may be anything, as a reason phrase may: then long runs of letters and digits that are not words are removed too. A
    /// store's text names projects, buckets and hosts by such runs.
    /// </param>
    public static string Show(string? text, HttpRequestMessage? request, bool isFree = true)
    {
        // Scrubbed before it is cut: half a secret would not be found.
        string looked = text is null ? "" : text.Length <= Looked ? text : text[..Looked];
        return looked.Length == 0 ? "" : Printable.Line(RequestSecrets.Of(request).Scrub(looked, isFree), Longest);
    }

    /// <summary>A cause that may be kept in an error: whoever prints the error prints it too.</summary>
    /// <returns>null if its text repeats a secret.</returns>
    public static Exception? Cause(Exception cause, HttpRequestMessage? request)
    {
        string text = cause.ToString();
        return RequestSecrets.Of(request).Scrub(text) == text ? cause : null;
    }

    /// <summary>
    /// An error that a store made of a response, without secrets of the request and without a cause that repeats one. What the error quotes of
    /// the response has been through <see cref="Show"/>, so that its own words stay.
    /// </summary>
    public static WeightSourceException Clean(WeightSourceException error, HttpRequestMessage? request)
    {
        string clean = RequestSecrets.Of(request).ScrubOwn(error.Said);
        Exception? cause = error.InnerException is { } inner ? Cause(inner, request) : null;
        return clean == error.Said && cause == error.InnerException ? error : error.Rephrased(clean, cause);
    }
}
