using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Win32.SafeHandles;
using TypedWeights.Files;

namespace TypedWeights.Downloads;

/// <summary>What a journal says.</summary>
/// <param name="Identity">Which file the parts belong to; null if there is no journal that this version understands.</param>
/// <param name="Parts">The parts, in the order in which they were noted down.</param>
/// <param name="Length">The bytes of the lines that were understood, from the start of the journal.</param>
internal sealed record PartNotes(SourceIdentity? Identity, IReadOnlyList<FinishedPart> Parts, long Length)
{
    /// <summary>No journal.</summary>
    public static PartNotes None { get; } = new(null, [], 0);
}

/// <summary>
/// The parts of a file that have been written: a line of JSON for each part, appended as parts come. The journal ends at the first line that
/// this class would not write, such as one that the end of the process cut short. The hash shows whether a line outlived its bytes.
/// </summary>
/// <remarks>
/// The first line is the file's identity: <c>{"typedweights":1,"source":"…","length":…,"validator":"…"}</c>; each of the others is a
/// <see cref="FinishedPart"/>.
/// </remarks>
internal sealed partial class PartJournal : IDisposable
{
    private const int Version = 1;

    // A source and a validator are URLs and headers; a file of a terabyte has a million parts.
    private const int LongestIdentity = 64 << 10;
    private const long LongestJournal = 128 << 20;

    // Parts have 64 KiB or more, except at the ends of requests and beside what was there before.
    private const long UsualPart = 64 << 10;
    private const int MostSmallParts = 1 << 16;

    private readonly Lock _lock = new();
    private readonly LockedFile _file;
    private readonly FileStream _stream;

    // Without a buffer: once a line has been written, it survives the end of the process.
    private PartJournal(LockedFile file)
    {
        _file = file;
        _stream = new FileStream(file.Handle, FileAccess.Write, bufferSize: 0);
    }

    /// <summary>The bytes that have been written.</summary>
    public long Length => _stream.Position;

    /// <summary>Reads a journal: no more than a bounded part of the file, whatever the file is.</summary>
    /// <param name="path">The journal.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <param name="isThisUsers">Whether a journal of another user is ignored, in a folder that others may write to.</param>
    /// <returns>
    /// The lines up to the first one that is not ours. <see cref="PartNotes.None"/> also if it has more parts than a file of the length can
    /// have.
    /// </returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static PartNotes Read(string path, CancellationToken cancellationToken, bool isThisUsers = false)
    {
        try
        {
            // Usually there is no journal, and an exception costs more than this check.
            return File.Exists(path) ? ReadLines(path, isThisUsers, cancellationToken) : PartNotes.None;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or RefusedFileException)
        {
            // Another process has removed it, or it is not a journal of ours.
            return PartNotes.None;
        }
    }

    /// <summary>Starts a new journal. A link or a pipe with its name is removed; the target of a link is not changed.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static PartJournal Create(string path, SourceIdentity identity, bool isThisUsers = false, bool keepsOthersOut = false)
    {
        var journal = new PartJournal(OpenEmpty(path, isThisUsers, keepsOthersOut));
        var line = new IdentityLine(Version, identity.Source, identity.Length, identity.Validator);
        JsonSerializer.Serialize(journal._stream, line, JournalJson.Relaxed.IdentityLine);
        journal._stream.Write("\n"u8);
        return journal;
    }

    /// <summary>Opens a journal that has been read, to append to it.</summary>
    /// <param name="path">The journal.</param>
    /// <param name="length">The bytes that were understood. The rest is cut off, as lines after it would not be read.</param>
    /// <param name="isThisUsers">Whether a journal of another user is rejected, in a folder that others may write to.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static PartJournal Append(string path, long length, bool isThisUsers = false)
    {
        var journal = new PartJournal(OwnFile.Open(path, FileAccess.Write, FileShare.Read, isThisUsers));
        journal._stream.SetLength(length);
        journal._stream.Seek(length, SeekOrigin.Begin);
        return journal;
    }

    /// <summary>Notes that a part has been written. Safe for use from many tasks at once.</summary>
    public void Add(FinishedPart part)
    {
        Span<byte> line = stackalloc byte[FinishedPart.LongestLine];
        int length = part.Format(line);
        lock (_lock)
        {
            _stream.Write(line[..length]);
        }
    }

    public void Dispose()
    {
        // In this order, as the stream would close the file with its lock.
        _file.Dispose();
        _stream.Dispose();
    }

    private static PartNotes ReadLines(string path, bool isThisUsers, CancellationToken cancellationToken)
    {
        using LockedFile file = OwnFile.Open(path, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, isThisUsers);
        var parts = new List<FinishedPart>();
        SourceIdentity? identity = null;
        long length = 0;
        foreach (ReadOnlyMemory<byte> line in LinesOf(file.Handle, cancellationToken))
        {
            if (identity is null)
            {
                identity = ParseIdentity(line.Span);
                if (identity is null)
                {
                    return PartNotes.None;
                }
            }
            else if (!FinishedPart.TryParse(line.Span, out FinishedPart part) || part.Offset > identity.Length - part.Length)
            {
                break;
            }
            else if (parts.Count >= MostSmallParts + (identity.Length / UsualPart))
            {
                return PartNotes.None;
            }
            else
            {
                parts.Add(part);
            }

            length += line.Length + 1;
        }

        return new PartNotes(identity, parts, length);
    }

    // Whole lines without their line breaks, up to the first one that is longer than any of ours, or to a length that no journal has. Each is
    // valid until the next one is requested.
    private static IEnumerable<ReadOnlyMemory<byte>> LinesOf(SafeFileHandle file, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[LongestIdentity];
        int filled = 0;
        for (long position = 0; position < LongestJournal && filled < buffer.Length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = RandomAccess.Read(file, buffer.AsSpan(filled), position);
            if (count == 0)
            {
                yield break;
            }

            position += count;
            filled += count;
            int begin = 0;
            for (int length; (length = buffer.AsSpan(begin, filled - begin).IndexOf((byte)'\n')) >= 0; begin += length + 1)
            {
                yield return buffer.AsMemory(begin, length);
            }

            buffer.AsSpan(begin, filled - begin).CopyTo(buffer);
            filled -= begin;
        }
    }

    private static LockedFile OpenEmpty(string path, bool isThisUsers, bool keepsOthersOut)
    {
        try
        {
            LockedFile file = OwnFile.OpenOrCreate(path, FileAccess.Write, FileShare.Read, isThisUsers, keepsOthersOut);
            RandomAccess.SetLength(file.Handle, 0);
            return file;
        }
        catch (RefusedFileException refused)
        {
            try
            {
                File.Delete(path);
            }
            catch (UnauthorizedAccessException)
            {
                // It is a folder, or another user's.
                throw refused;
            }

            return OwnFile.CreateNew(path, FileAccess.Write, FileShare.Read, keepsOthersOut);
        }
    }

    private static SourceIdentity? ParseIdentity(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, JournalJson.Relaxed.IdentityLine) is { TypedWeights: Version, Length: >= 0 } identity
                ? new SourceIdentity(identity.Source, identity.Length, identity.Validator)
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is that of half a surrogate pair.
            return null;
        }
    }

    internal sealed record IdentityLine(
        [property: JsonPropertyName("typedweights")] int TypedWeights,
        [property: JsonPropertyName("source")] string Source,
        [property: JsonPropertyName("length")] long Length,
        [property: JsonPropertyName("validator")] string? Validator);

    [JsonSerializable(typeof(IdentityLine))]
    internal sealed partial class JournalJson : JsonSerializerContext
    {
        // A validator has quotes and is read by people, whom \u0022 does not help.
        public static JournalJson Relaxed { get; } = new(new JsonSerializerOptions
        {
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
        });
    }
}
