using System.Text;

namespace TypedWeights.Format;

/// <summary>
/// Recognises other files that were given as safetensors files. Only sure signs count; no text of the file is repeated, as an error page may
/// quote the request.
/// </summary>
internal static class FileSniffer
{
    /// <summary>How many of a file's first bytes are examined.</summary>
    public const int Wanted = 512;

    /// <summary>Describes another kind of file.</summary>
    /// <param name="start">The first bytes of the file, up to <see cref="Wanted"/>.</param>
    /// <param name="fileLength">The file's length in bytes.</param>
    /// <returns>A noun phrase and what to do, ending in a full stop; null for an unknown kind.</returns>
    public static string? Describe(ReadOnlySpan<byte> start, long fileLength)
    {
        if (fileLength == 0)
        {
            return "an empty file: a download that never started? Fetch it again.";
        }

        return MayBeHeader(start) ? null : Binary(start) ?? Text(start);
    }

    /// <summary>Describes a web page, after words such as "this is not a safetensors file but".</summary>
    public const string Page = "an HTML page (a login or error page of a web site?). Check the URL: the link must point to the file itself.";

    /// <summary>Recognises a web page or a Git LFS pointer, which a server may send instead of any file.</summary>
    /// <param name="start">The first bytes of the response, up to <see cref="Wanted"/>.</param>
    /// <returns>As <see cref="Describe"/>.</returns>
    public static string? DescribePage(ReadOnlySpan<byte> start) => MayBeHeader(start) ? null : DescribePage(Decode(start));

    // A pickle's 80 02 and a gzip's 1F 8B are also the lengths of headers. The zeros of an unwritten file are not.
    private static bool MayBeHeader(ReadOnlySpan<byte> start) =>
        HeaderPrefix.Check(start[..Math.Min(start.Length, HeaderPrefix.Size)], long.MaxValue, out int length) is null && length > 0
            && (start.Length == HeaderPrefix.Size || " \t\r\n{"u8.Contains(start[HeaderPrefix.Size]));

    private static string? Binary(ReadOnlySpan<byte> start)
    {
        if (start.Length >= 8 && start.IndexOfAnyExcept((byte)0) < 0)
        {
            return "a file that starts with zeros: an unfinished download that reserved its space? Fetch it again.";
        }

        if (start.StartsWith("PK\x03\x04"u8) || start.StartsWith("PK\x05\x06"u8))
        {
            return Zip(start);
        }

        return start switch
        {
            [0x80, >= 2 and <= 5, ..] =>
                "a Python pickle (an old PyTorch checkpoint); convert it with safetensors.torch.save_file in Python.",
            [(byte)'G', (byte)'G', (byte)'U', (byte)'F', ..] =>
                "a GGUF file (llama.cpp), which this library does not read; get the model's safetensors files.",
            [(byte)'G', (byte)'G', (byte)'M', (byte)'L', ..] or [(byte)'l', (byte)'m', (byte)'g', (byte)'g', ..] =>
                "a GGML file, which this library does not read; get the model's safetensors files.",
            [0x1F, 0x8B, ..] => "a gzip archive; unpack it first.",
            [0x28, 0xB5, 0x2F, 0xFD, ..] => "a Zstandard archive; unpack it first.",
            [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => "an xz archive; unpack it first.",
            [(byte)'7', (byte)'z', 0xBC, 0xAF, 0x27, 0x1C, ..] => "a 7-Zip archive; unpack it first.",
            [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', ..] =>
                "a NumPy array (.npy); convert it with safetensors.numpy.save_file in Python.",
            [0x89, (byte)'H', (byte)'D', (byte)'F', 0x0D, 0x0A, 0x1A, 0x0A, ..] =>
                "an HDF5 file (Keras weights?); convert it to safetensors.",
            [(byte)'P', (byte)'A', (byte)'R', (byte)'1', ..] => "a Parquet table; it holds a data set, not weights.",
            [(byte)'A', (byte)'R', (byte)'R', (byte)'O', (byte)'W', (byte)'1', ..] => "an Arrow table; it holds a data set, not weights.",
            [_, _, _, _, (byte)'T', (byte)'F', (byte)'L', (byte)'3', ..] => "a TensorFlow Lite model, which this library does not read.",
            [0x89, (byte)'P', (byte)'N', (byte)'G', ..] or [0xFF, 0xD8, 0xFF, ..] => "a picture.",
            [0x7F, (byte)'E', (byte)'L', (byte)'F', ..] or [(byte)'M', (byte)'Z', ..] => "a program or library.",
            _ => start.Length >= 262 && start[257..].StartsWith("ustar"u8) ? "a tar archive; unpack it first." : null,
        };
    }

    private static string Zip(ReadOnlySpan<byte> start) => start.IndexOf("data.pkl"u8) >= 0 || start.IndexOf("/byteorder"u8) >= 0
        ? "a PyTorch checkpoint (a zip with a pickle); convert it with safetensors.torch.save_file in Python."
        : start.IndexOf(".npy"u8) >= 0
            ? "a NumPy archive (.npz); convert it with safetensors.numpy.save_file in Python."
            : "a zip archive (a PyTorch checkpoint?); unpack or convert it first.";

    private static string? Text(ReadOnlySpan<byte> start)
    {
        string text = Decode(start);
        if (DescribePage(text) is { } page)
        {
            return page;
        }

        if (Starts(text, "<?xml") || Starts(text, "<error"))
        {
            return "an XML document (an error message of an object store?). Check the URL and whether it has expired.";
        }

        if (Starts(text, "<<<<<<<"))
        {
            return "a text file with an unresolved merge conflict. Resolve it or fetch the file again.";
        }

        if (text is ['{' or '[', ..] && IsText(start))
        {
            return text.Contains("\"weight_map\"", StringComparison.Ordinal)
                ? "the index of a sharded model. Give it a name that ends in .safetensors.index.json."
                : "a JSON document (an error message of a server, or a configuration?). Check the URL or path.";
        }

        return IsText(start) ? "a text file (an error message of a server?). Check the URL or path." : null;
    }

    private static string? DescribePage(string text)
    {
        if (Starts(text, "version https://git-lfs.github.com/spec/") || Starts(text, "version https://hawser.github.com/spec/"))
        {
            return "a Git LFS pointer: the repository was cloned without its large files. Run `git lfs pull` in it.";
        }

        return Starts(text, "<!doctype html") || Starts(text, "<html") || Starts(text, "<head") || Starts(text, "<body") ? Page : null;
    }

    private static string Decode(ReadOnlySpan<byte> start) =>
        Encoding.Latin1.GetString(start).TrimStart('\u00EF', '\u00BB', '\u00BF', ' ', '\t', '\r', '\n');

    // The eight bytes of a real header's length always hold a zero, so that no safetensors file is text.
    private static bool IsText(ReadOnlySpan<byte> start)
    {
        foreach (byte b in start)
        {
            if (b is 0x7F or (< (byte)' ' and not ((byte)'\t' or (byte)'\r' or (byte)'\n')))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Starts(string text, string prefix) => text.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);
}
