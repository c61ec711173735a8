using System.Net.Http.Headers;

namespace TypedWeights.Sources.Http;

/// <summary>
/// Which file it is: length, ETag and <c>Last-Modified</c> of the first answer. Every later one must agree, so that a file that is
/// replaced half-way is an error and never a mixture. Safe for first answers that come side by side.
/// </summary>
internal sealed class HttpIdentity
{
    private readonly string _display;
    private readonly long? _expectedLength;
    private Facts? _facts;

    /// <param name="display">The file as it may be shown.</param>
    /// <param name="expectedLength">The length that it must have, where that is known beforehand.</param>
    public HttpIdentity(string display, long? expectedLength = null)
    {
        _display = display;
        _expectedLength = expectedLength;
    }

    /// <summary>What <c>If-Match</c> may say: a strong ETag. A weak one never matches there.</summary>
    public string? StrongTag => Volatile.Read(ref _facts)?.StrongTag;

    /// <summary>The ETag with its quotes, or <c>last-modified:…</c>; null before the first answer and where it had neither.</summary>
    public string? Validator => Volatile.Read(ref _facts)?.Validator;

    /// <summary>Takes the first answer as the file's identity and holds every other one to it.</summary>
    /// <param name="answer">An answer with the file or a part of it.</param>
    /// <param name="length">The file's length in bytes, by that answer.</param>
    /// <exception cref="WeightSourceException">It is another file, or another version of it.</exception>
    public void Check(HttpResponseMessage answer, long length)
    {
        CheckLength(length);
        string? tag = Text(answer.Headers, "ETag");
        string? modified = answer.Content.Headers.LastModified is { } date
            ? $"{date.UtcDateTime:R}"
            : Text(answer.Content.Headers, "Last-Modified");
        Facts? known = Volatile.Read(ref _facts);
        if (known is null)
        {
            var found = new Facts(length, tag, modified);
            known = Interlocked.CompareExchange(ref _facts, found, null) ?? found;
        }

        if (known.Difference(length, tag, modified) is { } difference)
        {
            throw HttpFailure.Changed(difference, _display);
        }
    }

    /// <summary>Compares the one thing that an answer without the file may tell.</summary>
    /// <param name="length">The file's length in bytes.</param>
    /// <exception cref="WeightSourceException">It is another file, or another version of it.</exception>
    public void CheckLength(long length)
    {
        if (length != (_expectedLength ?? length))
        {
            throw new WeightSourceException(
                _display, $"the file has {length} bytes and should have {_expectedLength}: it is not the one that was expected.");
        }

        if (Volatile.Read(ref _facts) is { } known && known.Length != length)
        {
            throw HttpFailure.Changed($"it has {length} bytes and had {known.Length}", _display);
        }
    }

    // As it was sent: a tag without quotes, or a date of another format, tells files apart as well as one that follows the rules.
    private static string? Text(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out HeaderStringValues values) && values.ToString() is { Length: > 0 } text ? text : null;

    private sealed record Facts(long Length, string? Tag, string? Modified)
    {
        public string? StrongTag { get; } =
            EntityTagHeaderValue.TryParse(Tag, out EntityTagHeaderValue? tag) && !tag.IsWeak ? tag.Tag : null;

        public string? Validator { get; } = Tag ?? (Modified is null ? null : "last-modified:" + Modified);

        public string? Difference(long length, string? tag, string? modified)
        {
            if (Length != length)
            {
                return $"it has {length} bytes and had {Length}";
            }

            return Tag != tag ? "its ETag is another now"
                : Modified != modified ? "its Last-Modified is another now"
                : null;
        }
    }
}
