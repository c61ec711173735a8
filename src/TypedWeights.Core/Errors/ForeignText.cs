namespace TypedWeights.Errors;

/// <summary>
/// Makes text that came from outside (a reason phrase, a header, a store's error, an exception of the HTTP client) fit to be quoted: it has no
/// secret of the request, nothing that does not show, and no more than a sentence. Every message that quotes such text has it from here.
/// </summary>
internal static class ForeignText
{
    private const int Longest = 400;

    // What is looked at: a reason phrase may have 64 KiB. Nothing behind it is shown, whatever is left out before.
    private const int Looked = 4000;

    /// <param name="text">The text; null for none.</param>
    /// <param name="request">The request that it came for; null for none.</param>
    /// <param name="isFree">
    /// Whether it may be anything, as a reason phrase may: then long runs of letters and digits that are made of no words are left out too. A
    /// store's text names projects, buckets and hosts by such.
    /// </param>
    public static string Show(string? text, HttpRequestMessage? request, bool isFree = true)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        // Left out before it is cut: half a secret would not be found.
        string looked = text.Length <= Looked ? text : text[..Looked];
        var secrets = RequestSecrets.Of(request);
        return Printable.Line(isFree ? secrets.ScrubQuoted(looked) : secrets.Scrub(looked), Longest);
    }

    /// <summary>A cause as it may be kept in an error: whoever prints the error prints it too.</summary>
    /// <returns>null where its text repeats a secret.</returns>
    public static Exception? Cause(Exception cause, HttpRequestMessage? request)
    {
        string text = cause.ToString();
        return RequestSecrets.Of(request).Scrub(text) == text ? cause : null;
    }

    /// <summary>
    /// An error that a store made of an answer, without what of the request is in it all the same, and without a cause that repeats a secret.
    /// What it quotes of the answer has been through <see cref="Show"/>, so that its own words stay.
    /// </summary>
    public static WeightSourceException Clean(WeightSourceException error, HttpRequestMessage? request)
    {
        var secrets = RequestSecrets.Of(request);
        string before = $"{Printable.Line(error.SourceName)}: ";
        string said = error.Message.StartsWith(before, StringComparison.Ordinal) ? error.Message[before.Length..] : error.Message;
        string clean = secrets.ScrubOwn(said);
        Exception? cause = error.InnerException is { } inner ? Cause(inner, request) : null;
        return clean == said && cause == error.InnerException
            ? error
            : error.Rephrased(clean, cause);
    }
}
