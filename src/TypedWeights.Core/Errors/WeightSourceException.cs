using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>A source cannot be found, opened or read.</summary>
public sealed class WeightSourceException : WeightsException
{
    /// <summary>Makes the error.</summary>
    /// <param name="source">The source as it may be shown.</param>
    /// <param name="message">What happened and what to do; the source is put before it.</param>
    /// <param name="innerException">The cause, if there is one.</param>
    public WeightSourceException(string source, string message, Exception? innerException = null)
        : base($"{Printable.Line(source)}: {Printable.Line(message)}", innerException) => (SourceName, Said) = (source, message);

    /// <summary>The source as it may be shown: without user info, signature or token.</summary>
    public string SourceName { get; }

    /// <summary>The message without the source.</summary>
    internal string Said { get; }

    /// <summary>
    /// Whether the same request may succeed later (a time-out, a 503), as opposed to a missing file, rejected credentials or a file that has
    /// changed.
    /// </summary>
    /// <value>false</value>
    public bool IsTransient { get; init; }

    /// <summary>Whether the source does not exist, as opposed to one that cannot be reached or read.</summary>
    /// <value>false</value>
    public bool IsNotFound { get; init; }

    /// <summary>
    /// Whether, if <see cref="IsNotFound"/> is true, more than the file is missing: its bucket or container does not exist, or a version of it that
    /// was requested explicitly.
    /// </summary>
    /// <value>false</value>
    public bool IsPlaceNotFound { get; init; }

    /// <summary>How long the source requests a client to wait before the next request (<c>Retry-After</c>).</summary>
    /// <value>null: the source did not state it.</value>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether the source reports that it receives too many requests (429, 503).</summary>
    internal bool IsThrottled { get; init; }

    /// <summary>
    /// Whether a connection returned no response at all: it was not made, was closed, or stalled. If others get responses in the meantime,
    /// the server accepts fewer connections than were opened.
    /// </summary>
    internal bool IsUnserved { get; init; }

    /// <summary>Whether a read was ended long before its time limit, to try it over another connection.</summary>
    internal bool IsEarly { get; init; }

    /// <summary>Whether an inner layer has already repeated the request as often as it may, although the failure may be transient.</summary>
    internal bool IsExhausted { get; init; }

    /// <summary>The error of a source that is read while its loader is disposed.</summary>
    internal static WeightSourceException OfDisposedLoader(string source, Exception inner) =>
        new(source, "its loader was disposed while it was read.", inner);

    /// <summary>The same error in other words.</summary>
    /// <param name="message">What happened; the source is put before it.</param>
    /// <param name="cause">What caused it, if that may be shown.</param>
    /// <param name="source">Another name of the source; null for the same one.</param>
    internal WeightSourceException Rephrased(string message, Exception? cause, string? source = null) =>
        new(source ?? SourceName, message, cause)
        {
            IsTransient = IsTransient,
            IsNotFound = IsNotFound,
            RetryAfter = RetryAfter,
            IsPlaceNotFound = IsPlaceNotFound,
            IsThrottled = IsThrottled,
            IsUnserved = IsUnserved,
            IsEarly = IsEarly,
            IsExhausted = IsExhausted,
        };
}
