using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;
using TypedWeights.Files;

namespace TypedWeights.Downloads;

/// <summary>
/// What of a partial file has been written, a line of JSON for each part, appended as parts come. A line that was cut short by the end
/// of the process says nothing; a line that outlived its bytes is found out by their hash.
/// </summary>
/// <remarks>
/// The first line is the file's identity: <c>{"typedweights":1,"source":"…","length":…,"validator":"…"}</c>; the others are
/// <c>{"offset":…,"length":…,"xxh128":"…"}</c>, the hash as 32 hexadecimal digits.
/// </remarks>
internal sealed class PartJournal : IDisposable
{
    private const int Version = 1;
    private const int LongestLine = 160;

    // Of what is read: a source and a validator are URLs and headers; and a file of a terabyte has a million parts.
    private const int LongestIdentity = 64 << 10;
    private const long LongestJournal = 128 << 20;

    private readonly Lock _lock = new();
    private readonly LockedFile _file;
    private readonly FileStream _stream;

    // Without a buffer: once a line has been written, it survives the end of the process.
    private PartJournal(LockedFile file)
    {
        _file = file;
        _stream = new FileStream(file.Handle, FileAccess.Write, bufferSize: 0);
    }

    /// <summary>Reads a journal. Whatever has its name, no more than a bounded part of it is read.</summary>
    /// <param name="path">The journal.</param>
    /// <param name="isThisUsers">Whether one of another user counts as none, in a folder that others may write to.</param>
    /// <returns>The identity, or null where there is no journal that this version understands; and its whole lines.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static (SourceIdentity? Identity, IReadOnlyList<FinishedPart> Parts) Read(string path, bool isThisUsers = false)
    {
        try
        {
            // Looked for first: most often there is none, and an exception costs more.
            return File.Exists(path) ? ReadLines(path, isThisUsers) : (null, []);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or RefusedFileException)
        {
            // Another process has removed it, or it is no journal of ours.
            return (null, []);
        }
    }

    /// <summary>Begins a new journal in the place of what has its name: a link or a pipe is removed, what a link leads to stays as it is.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static PartJournal Create(string path, SourceIdentity identity, bool isThisUsers = false, bool keepsOthersOut = false)
    {
        var journal = new PartJournal(OpenEmpty(path, isThisUsers, keepsOthersOut));
        journal._stream.Write(IdentityLine(identity));
        return journal;
    }

    /// <summary>Writes the journal of a finished file; it is on the disk when this returns.</summary>
    /// <param name="path">The journal.</param>
    /// <param name="identity">What the file is.</param>
    /// <param name="parts">Its parts.</param>
    /// <param name="mode">The permissions of a new journal; null for the default. One that is replaced leaves its own.</param>
    /// <param name="keepsOthersOut">Whether its owner alone may write to it.</param>
    public static void Write(
        string path, SourceIdentity identity, IReadOnlyList<FinishedPart> parts, UnixFileMode? mode = null, bool keepsOthersOut = false)
    {
        using var file = ReplacementFile.Create(path, OwnFile.IsFile(path) ? null : mode, keepsOthersOut: keepsOthersOut);
        file.Stream.Write(IdentityLine(identity));
        Span<byte> line = stackalloc byte[LongestLine];
        foreach (FinishedPart part in parts)
        {
            file.Stream.Write(line[..Format(part, line)]);
        }

        file.Commit();
    }

    private static (SourceIdentity? Identity, IReadOnlyList<FinishedPart> Parts) ReadLines(string path, bool isThisUsers)
    {
        using LockedFile file = OwnFile.Open(path, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, isThisUsers);
        var parts = new List<FinishedPart>();
        SourceIdentity? identity = null;
        foreach (ReadOnlyMemory<byte> line in LinesOf(file.Handle))
        {
            if (identity is null)
            {
                identity = ParseIdentity(line.Span);
                if (identity is null)
                {
                    return (null, []);
                }
            }
            else if (ParsePart(line.Span) is { } part && part.Offset <= identity.Length - part.Length)
            {
                parts.Add(part);
            }
        }

        return (identity, parts);
    }

    // Up to the first line that is longer than any of ours, or to a length that no journal has. Each is valid until the next one is asked for.
    private static IEnumerable<ReadOnlyMemory<byte>> LinesOf(SafeFileHandle file)
    {
        byte[] buffer = new byte[LongestIdentity];
        int filled = 0;
        for (long position = 0; position < LongestJournal && filled < buffer.Length;)
        {
            int count = RandomAccess.Read(file, buffer.AsSpan(filled), position);
            position += count;
            filled += count;
            int begin = 0;
            for (int length; (length = buffer.AsSpan(begin, filled - begin).IndexOf((byte)'\n')) >= 0; begin += length + 1)
            {
                yield return buffer.AsMemory(begin, length);
            }

            if (count == 0)
            {
                yield return buffer.AsMemory(begin, filled - begin);
                yield break;
            }

            buffer.AsSpan(begin, filled - begin).CopyTo(buffer);
            filled -= begin;
        }
    }

    private static byte[] IdentityLine(SourceIdentity identity)
    {
        using var text = new MemoryStream();

        // A validator has quotes and is read by people: \u0022 would help neither.
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("typedweights", Version);
            json.WriteString("source", identity.Source);
            json.WriteNumber("length", identity.Length);
            json.WriteString("validator", identity.Validator);
            json.WriteEndObject();
        }

        text.WriteByte((byte)'\n');
        return text.ToArray();
    }

    /// <summary>Goes on with a journal that has been read.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static PartJournal Append(string path, bool isThisUsers = false)
    {
        LockedFile file = OwnFile.Open(path, FileAccess.Write, FileShare.Read, isThisUsers);
        var journal = new PartJournal(file);
        journal._stream.Seek(0, SeekOrigin.End);

        // The last line may have been cut short; the next one must not become its end.
        journal._stream.WriteByte((byte)'\n');
        return journal;
    }

    /// <summary>Writes that a part has been written. Safe for use from many tasks at once.</summary>
    public void Add(FinishedPart part)
    {
        Span<byte> line = stackalloc byte[LongestLine];
        int length = Format(part, line);
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

    private static int Format(FinishedPart part, Span<byte> line)
    {
        bool fits = Utf8.TryWrite(
            line,
            CultureInfo.InvariantCulture,
            $"{{\"offset\":{part.Offset},\"length\":{part.Length},\"xxh128\":\"{part.Hash:x32}\"}}\n",
            out int length);
        System.Diagnostics.Debug.Assert(fits, "Three numbers fit any line.");
        return length;
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

    private static SourceIdentity? ParseIdentity(ReadOnlySpan<byte> line) => Parse(line) is { } json
        && json.TryGetProperty("typedweights", out JsonElement version) && Number(version) == Version
        && json.TryGetProperty("source", out JsonElement source) && source.ValueKind == JsonValueKind.String
        && json.TryGetProperty("length", out JsonElement length) && Number(length) is >= 0 and long bytes
        && json.TryGetProperty("validator", out JsonElement validator) && validator.ValueKind is JsonValueKind.String or JsonValueKind.Null
        && TextOf(source) is { } text && (validator.ValueKind == JsonValueKind.Null || TextOf(validator) is not null)
            ? new SourceIdentity(text, bytes, TextOf(validator))
            : null;

    private static FinishedPart? ParsePart(ReadOnlySpan<byte> line) => Parse(line) is { } json
        && json.TryGetProperty("offset", out JsonElement offset) && Number(offset) is >= 0 and long begin
        && json.TryGetProperty("length", out JsonElement length) && Number(length) is >= 1 and long bytes
        && json.TryGetProperty("xxh128", out JsonElement hash) && hash.ValueKind == JsonValueKind.String
        && TextOf(hash) is { Length: 32 } digits
        && UInt128.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out UInt128 value)
            ? new FinishedPart(begin, bytes, value)
            : null;

    private static long? Number(JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out long value) ? value : null;

    // null where it is JSON and yet no text: half of a surrogate pair, or bytes that are not UTF-8.
    private static string? TextOf(JsonElement element)
    {
        try
        {
            return element.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static JsonElement? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            return JsonElement.TryParseValue(ref reader, out JsonElement? json) && json is { ValueKind: JsonValueKind.Object } ? json : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
