using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

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

    private readonly Lock _lock = new();
    private readonly FileStream _stream;

    private PartJournal(FileStream stream) => _stream = stream;

    /// <summary>Reads a journal.</summary>
    /// <returns>The identity, or null where there is no journal that this version understands; and its whole lines.</returns>
    /// <exception cref="IOException">It is there and cannot be read.</exception>
    public static (SourceIdentity? Identity, IReadOnlyList<FinishedPart> Parts) Read(string path)
    {
        try
        {
            // Looked for all the same: most often there is none, and an exception costs more.
            return File.Exists(path) ? ReadLines(path) : (null, []);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Somebody has removed it since.
            return (null, []);
        }
    }

    /// <summary>Begins a new journal; one that is there is gone.</summary>
    public static PartJournal Create(string path, SourceIdentity identity)
    {
        var journal = new PartJournal(Open(path, FileMode.Create));
        journal._stream.Write(IdentityLine(identity));
        return journal;
    }

    /// <summary>Writes the journal of a finished file; it is on the disk when this returns.</summary>
    public static void Write(string path, SourceIdentity identity, IReadOnlyList<FinishedPart> parts)
    {
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read);
        stream.Write(IdentityLine(identity));
        Span<byte> line = stackalloc byte[LongestLine];
        foreach (FinishedPart part in parts)
        {
            stream.Write(line[..Format(part, line)]);
        }

        stream.Flush(flushToDisk: true);
    }

    private static (SourceIdentity? Identity, IReadOnlyList<FinishedPart> Parts) ReadLines(string path)
    {
        var parts = new List<FinishedPart>();
        SourceIdentity? identity = null;
        foreach (string line in File.ReadLines(path))
        {
            if (identity is null)
            {
                identity = ParseIdentity(line);
                if (identity is null)
                {
                    return (null, []);
                }
            }
            else if (ParsePart(line) is { } part && part.Offset <= identity.Length - part.Length)
            {
                parts.Add(part);
            }
        }

        return (identity, parts);
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

    /// <summary>Goes on with a journal.</summary>
    public static PartJournal Append(string path)
    {
        var journal = new PartJournal(Open(path, FileMode.Append));

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
            // Without a buffer: once this returns, the line survives the end of the process.
            _stream.Write(line[..length]);
        }
    }

    public void Dispose() => _stream.Dispose();

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

    private static FileStream Open(string path, FileMode mode) => new(path, mode, FileAccess.Write, FileShare.Read, bufferSize: 0);

    private static SourceIdentity? ParseIdentity(string line) => Parse(line) is { } json
        && json.TryGetProperty("typedweights", out JsonElement version) && Number(version) == Version
        && json.TryGetProperty("source", out JsonElement source) && source.ValueKind == JsonValueKind.String
        && json.TryGetProperty("length", out JsonElement length) && Number(length) is >= 0 and long bytes
        && json.TryGetProperty("validator", out JsonElement validator) && validator.ValueKind is JsonValueKind.String or JsonValueKind.Null
            ? new SourceIdentity(source.GetString()!, bytes, validator.GetString())
            : null;

    private static FinishedPart? ParsePart(string line) => Parse(line) is { } json
        && json.TryGetProperty("offset", out JsonElement offset) && Number(offset) is >= 0 and long begin
        && json.TryGetProperty("length", out JsonElement length) && Number(length) is >= 1 and long bytes
        && json.TryGetProperty("xxh128", out JsonElement hash) && hash.ValueKind == JsonValueKind.String
        && hash.GetString() is { Length: 32 } digits
        && UInt128.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out UInt128 value)
            ? new FinishedPart(begin, bytes, value)
            : null;

    private static long? Number(JsonElement element) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out long value) ? value : null;

    private static JsonElement? Parse(string line)
    {
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(line));
            return JsonElement.TryParseValue(ref reader, out JsonElement? json) && json is { ValueKind: JsonValueKind.Object } ? json : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
