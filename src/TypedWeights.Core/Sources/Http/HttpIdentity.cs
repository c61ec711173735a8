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
        EntityTagHeaderValue? tag = answer.Headers.ETag;
        DateTimeOffset? modified = answer.Content.Headers.LastModified;
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

    private sealed record Facts(long Length, EntityTagHeaderValue? Tag, DateTimeOffset? Modified)
    {
        public string? StrongTag { get; } = Tag is { IsWeak: false } ? Tag.Tag : null;

        public string? Validator { get; } =
            Tag?.ToString() ?? (Modified is { } modified ? $"last-modified:{modified.UtcDateTime:R}" : null);

        public string? Difference(long length, EntityTagHeaderValue? tag, DateTimeOffset? modified)
        {
            if (Length != length)
            {
                return $"it has {length} bytes and had {Length}";
            }

            return !Equals(Tag, tag) ? "its ETag is another now"
                : Modified != modified ? "its Last-Modified is another now"
                : null;
        }
    }
}
