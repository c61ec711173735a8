using System.Net.Http.Headers;
using System.Text;
using TypedWeights.Errors;

namespace TypedWeights.Sources.Http;

/// <summary>
/// The identity of a file: length, ETag, <c>Last-Modified</c> and the store's version of the first response. Every later response must agree,
/// so that a file that is replaced during a load is an error and never a mixture. Safe for first responses that arrive simultaneously.
/// </summary>
/// <param name="file">The file. If it has a version, every response must be of that version.</param>
/// <param name="expectedLength">The length that it must have, if that is known.</param>
internal sealed class HttpIdentity(StoreFile file, long? expectedLength = null)
{
    private const long Unknown = -1;

    private long _length = Unknown;
    private Facts? _facts;

    /// <summary>The ETag for <c>If-Match</c>, which must be strong: a weak one never matches.</summary>
    public string? StrongETag => Volatile.Read(ref _facts)?.StrongETag;

    /// <summary>The ETag with its quotes, or <c>last-modified:…</c>; null before the first response, and if that has neither.</summary>
    public string? Validator => Volatile.Read(ref _facts)?.Validator;

    /// <summary>The store's version: the requested one, or that of the first response; null before that, and if the store has none.</summary>
    public string? Version => file.Version ?? Volatile.Read(ref _facts)?.Version;

    /// <summary>Takes the identity from the first response, and compares every other response with it.</summary>
    /// <param name="response">A response with the file or a part of it.</param>
    /// <param name="length">The file's length in bytes, as that response states it; null if it states none.</param>
    /// <exception cref="WeightSourceException">It is another file, or another version of it.</exception>
    public void Check(HttpResponseMessage response, long? length)
    {
        if (length is { } stated)
        {
            CheckLength(stated);
        }

        string? tag = Text(response.Headers, "ETag");
        string? modified = Text(response.Content.Headers, "Last-Modified");
        string? version = file.VersionOf(response);
        if (version is not null && version != (file.Version ?? version))
        {
            throw new WeightSourceException(
                file.Display,
                $"the store returned the version {ForeignText.Show(version, response.RequestMessage)}, but {file.Version} was requested.");
        }

        Facts? known = Volatile.Read(ref _facts);
        if (known is null)
        {
            var found = new Facts(tag, modified, Moment(response), version);
            known = Interlocked.CompareExchange(ref _facts, found, null) ?? found;
        }

        // The text is compared first; the same time may be written in several ways.
        bool isModified = modified != known.Modified && Moment(response) != known.Moment;
        if (known.Difference(tag, isModified, version) is { } difference)
        {
            throw HttpFailure.Changed(difference, file.Display);
        }
    }

    /// <summary>Compares the length, which a response without bytes of the file may state.</summary>
    /// <param name="length">The file's length in bytes.</param>
    /// <exception cref="WeightSourceException">It is another file, or another version of it.</exception>
    public void CheckLength(long length)
    {
        if (length != (expectedLength ?? length))
        {
            throw new WeightSourceException(
                file.Display, $"the file has {length} bytes, but {expectedLength} were expected: it is not the expected file.");
        }

        long known = Interlocked.CompareExchange(ref _length, length, Unknown);
        if (known != Unknown && known != length)
        {
            throw HttpFailure.Changed($"it has {length} bytes and had {known}", file.Display);
        }
    }

    // As it was sent: a tag without quotes, or a date in another format, also distinguishes files. A repeated header counts once.
    private static string? Text(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out HeaderStringValues values)
        && (values.Count == 1 ? values.ToString() : string.Join(", ", values.Distinct())) is { Length: > 0 } text
            ? text
            : null;

    private static string? Moment(HttpResponseMessage response) => response.Content.Headers.LastModified is { } date
        ? $"{date.UtcDateTime:R}"
        : Text(response.Content.Headers, "Last-Modified");

    private sealed record Facts(string? Tag, string? Modified, string? Moment, string? Version)
    {
        // A tag may have bytes above 0x7F, which this client cannot send. Such a tag is only compared.
        public string? StrongETag { get; } =
            EntityTagHeaderValue.TryParse(Tag, out EntityTagHeaderValue? tag) && !tag.IsWeak && Ascii.IsValid(tag.Tag) ? tag.Tag : null;

        public string? Validator { get; } = Tag ?? (Moment is null ? null : "last-modified:" + Moment);

        public string? Difference(string? tag, bool isModified, string? version) => Tag != tag ? "its ETag has changed"
            : isModified ? "its Last-Modified has changed"
            : Version != version ? "its version has changed"
            : null;
    }
}
