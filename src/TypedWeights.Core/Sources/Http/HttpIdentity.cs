using System.Net.Http.Headers;
using System.Text;
using TypedWeights.Errors;

namespace TypedWeights.Sources.Http;

/// <summary>
/// Which file it is: length, ETag, <c>Last-Modified</c> and the store's version of the first answer. Every later one must agree, so that
/// a file that is replaced half-way is an error and never a mixture. Safe for first answers that come side by side.
/// </summary>
internal sealed class HttpIdentity
{
    private readonly StoreFile _file;
    private const long Unknown = -1;

    private readonly long? _expectedLength;
    private long _length = Unknown;
    private Facts? _facts;

    /// <param name="file">The file; a version that it asks for is the one that every answer must be of.</param>
    /// <param name="expectedLength">The length that it must have, where that is known beforehand.</param>
    public HttpIdentity(StoreFile file, long? expectedLength = null)
    {
        _file = file;
        _expectedLength = expectedLength;
    }

    /// <summary>What <c>If-Match</c> may say: a strong ETag. A weak one never matches there.</summary>
    public string? StrongTag => Volatile.Read(ref _facts)?.StrongTag;

    /// <summary>The ETag with its quotes, or <c>last-modified:…</c>; null before the first answer and where it had neither.</summary>
    public string? Validator => Volatile.Read(ref _facts)?.Validator;

    /// <summary>The store's version: the one asked for, or that of the first answer; null before it and where the store has none.</summary>
    public string? Version => _file.Version ?? Volatile.Read(ref _facts)?.Version;

    /// <summary>Takes the first answer as the file's identity and holds every other one to it.</summary>
    /// <param name="answer">An answer with the file or a part of it.</param>
    /// <param name="length">The file's length in bytes, by that answer; null where it does not tell.</param>
    /// <exception cref="WeightSourceException">It is another file, or another version of it.</exception>
    public void Check(HttpResponseMessage answer, long? length)
    {
        if (length is { } told)
        {
            CheckLength(told);
        }

        string? tag = Text(answer.Headers, "ETag");
        string? modified = Text(answer.Content.Headers, "Last-Modified");
        string? version = _file.VersionOf(answer);
        if (version is not null && version != (_file.Version ?? version))
        {
            throw new WeightSourceException(
                _file.Display,
                $"the store answered with the version {ForeignText.Show(version, answer.RequestMessage)}, where {_file.Version} was asked for.");
        }

        Facts? known = Volatile.Read(ref _facts);
        if (known is null)
        {
            var found = new Facts(tag, modified, Moment(answer), version);
            known = Interlocked.CompareExchange(ref _facts, found, null) ?? found;
        }

        // A moment is looked at where the text differs: it may be written in several ways.
        bool isModified = modified != known.Modified && Moment(answer) != known.Moment;
        if (known.Difference(tag, isModified, version) is { } difference)
        {
            throw HttpFailure.Changed(difference, _file.Display);
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
                _file.Display, $"the file has {length} bytes and should have {_expectedLength}: it is not the one that was expected.");
        }

        long known = Interlocked.CompareExchange(ref _length, length, Unknown);
        if (known != Unknown && known != length)
        {
            throw HttpFailure.Changed($"it has {length} bytes and had {known}", _file.Display);
        }
    }

    // As it was sent: a tag without quotes, or a date of another format, tells files apart as well as one that follows the rules. What was
    // sent twice is the same as what was sent once.
    private static string? Text(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out HeaderStringValues values)
        && (values.Count == 1 ? values.ToString() : string.Join(", ", values.Distinct())) is { Length: > 0 } text
            ? text
            : null;

    private static string? Moment(HttpResponseMessage answer) => answer.Content.Headers.LastModified is { } date
        ? $"{date.UtcDateTime:R}"
        : Text(answer.Content.Headers, "Last-Modified");

    private sealed record Facts(string? Tag, string? Modified, string? Moment, string? Version)
    {
        // A tag may have bytes above 0x7F, which a request of this client cannot: such a one is compared only.
        public string? StrongTag { get; } =
            EntityTagHeaderValue.TryParse(Tag, out EntityTagHeaderValue? tag) && !tag.IsWeak && Ascii.IsValid(tag.Tag) ? tag.Tag : null;

        public string? Validator { get; } = Tag ?? (Moment is null ? null : "last-modified:" + Moment);

        public string? Difference(string? tag, bool isModified, string? version) => Tag != tag ? "its ETag is another now"
            : isModified ? "its Last-Modified is another now"
            : Version != version ? "its version is another now"
            : null;
    }
}
