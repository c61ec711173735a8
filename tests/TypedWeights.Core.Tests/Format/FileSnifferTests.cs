using System.IO.Compression;
using System.Text;
using TypedWeights.Format;

namespace TypedWeights.Tests.Format;

public sealed class FileSnifferTests
{
    public static TheoryData<string, byte[], string> Files => new()
    {
        {
            "Git LFS pointer",
            Text($"version https://git-lfs.github.com/spec/v1\noid sha256:{new string('4', 64)}\nsize 12345\n"),
            "git lfs pull"
        },
        { "HTML page", Text("\r\n<!DOCTYPE html>\n<html><title>Sign in</title></html>"), "Check the URL" },
        { "HTML page", Text("<html><body>404</body></html>"), "Check the URL" },
        { "XML document", Text("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"), "expired" },
        { "JSON document", Text("{\"error\":\"Repository not found\"}"), "Check the URL" },
        { "index of a sharded model", Text("{\"metadata\":{},\"weight_map\":{\"a\":\"b.safetensors\"}}"), ".safetensors.index.json" },
        { "merge conflict", Text("<<<<<<< HEAD\nx\n=======\ny\n>>>>>>> b\n"), "Resolve it" },
        { "a text", Text("Entry not found"), "Check the URL" },
        { "an empty file", [], "Fetch it again" },
        { "zeros", new byte[4096], "unfinished" },
        { "PyTorch checkpoint", Zip("archive/data.pkl", "archive/version"), "save_file" },
        { "NumPy archive", Zip("a.npy"), "save_file" },
        { "zip archive", Zip("readme.txt"), "unpack" },
        { "Python pickle", [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, .. new byte[20]], "save_file" },
        { "GGUF", [.. "GGUF"u8, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], "safetensors files" },
        { "GGML", [.. "lmgg"u8, 3, 0, 0, 0, 1, 0, 0, 0], "safetensors files" },
        { "gzip archive", GZip(), "unpack" },
        { "Zstandard", [0x28, 0xB5, 0x2F, 0xFD, 0x24, 0x80, 1, 2, 3, 4], "unpack" },
        { "xz archive", [0xFD, .. "7zXZ"u8, 0, 0, 4, 1, 2], "unpack" },
        { "7-Zip", [.. "7z"u8, 0xBC, 0xAF, 0x27, 0x1C, 0, 4, 1, 2], "unpack" },
        { "tar archive", Tar(), "unpack" },
        { "NumPy array", [0x93, .. "NUMPY"u8, 1, 0, 0x76, 0, .. "{'descr': '<f4'}"u8], "save_file" },
        { "HDF5", [0x89, .. "HDF"u8, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0], "convert" },
        { "Parquet", [.. "PAR1"u8, 0x15, 4, 0x15, 0, 0, 0], "data set" },
        { "Arrow", [.. "ARROW1"u8, 0, 0, 0xFF, 0xFF], "data set" },
        { "TensorFlow Lite", [0x1C, 0, 0, 0, .. "TFL3"u8, 0x14, 0], "does not read" },
        { "picture", [0x89, .. "PNG"u8, 0x0D, 0x0A, 0x1A, 0x0A, 0], "picture" },
        { "program", [0x7F, .. "ELF"u8, 2, 1, 1, 0, 0, 1], "library" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_file_in_another_format_is_refused_with_the_name_of_its_format(string what, byte[] bytes, string advice)
    {
        // A gzip file with a zero time reads as a header of 559,903 bytes; longer than that, it fails at the next check.
        SafeTensorsFormatException error = await Headers.RefusedAsync(bytes);
        Assert.Contains("not a safetensors file but", error.Message, StringComparison.Ordinal);
        Assert.Contains(what, error.Message, StringComparison.Ordinal);
        Assert.Contains(advice, error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Kind, SafeTensorsErrorKind.HeaderTooSmall, SafeTensorsErrorKind.InvalidHeaderDeserialization);
    }

    [Fact]
    public async Task A_gzip_file_is_recognised_although_its_first_bytes_read_as_a_header_length_within_the_file()
    {
        byte[] bytes = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, .. new byte[600_000]];
        SafeTensorsFormatException error = await Headers.RefusedAsync(bytes);
        Assert.Equal(SafeTensorsErrorKind.InvalidHeaderDeserialization, error.Kind);
        Assert.Contains("a gzip archive", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_text_of_an_error_page_is_not_repeated_in_the_message()
    {
        const string Secret = "AKIASECRETKEY";
        SafeTensorsFormatException error = await Headers.RefusedAsync(Text($"<Error><AWSAccessKeyId>{Secret}</AWSAccessKeyId></Error>"));
        Assert.DoesNotContain(Secret, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_valid_safetensors_file_is_mistaken_for_another_format()
    {
        foreach (FileCase c in Corpus.Files.Where(static c => c.Verdict == "valid"))
        {
            byte[] bytes = File.ReadAllBytes(Path.Combine(Corpus.Root, c.File));
            Assert.Null(FileSniffer.Describe(bytes.AsSpan(0, Math.Min(bytes.Length, FileSniffer.Wanted)), bytes.Length));
        }
    }

    [Theory]
    [InlineData(0x280)]
    [InlineData(0x8B1F)]
    [InlineData(0x5A4D)]
    public async Task A_cut_file_whose_header_length_looks_like_a_magic_number_is_reported_as_cut(int headerLength)
    {
        byte[] header = [.. "{}"u8, .. Enumerable.Repeat((byte)' ', headerLength - 2)];
        Assert.Equal(headerLength, (await Headers.ReadAsync(Headers.File(header))).HeaderLength);
        foreach (int length in new[] { 8, 9, 600 })
        {
            SafeTensorsFormatException error = await Headers.RefusedAsync(Headers.File(header)[..length]);
            Assert.Equal(SafeTensorsErrorKind.InvalidHeaderLength, error.Kind);
            Assert.Contains("cut short", error.Message, StringComparison.Ordinal);
        }
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Zip(params string[] names)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create))
        {
            foreach (string name in names)
            {
                using Stream entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
                entry.Write("content of the entry"u8);
            }
        }

        return bytes.ToArray();
    }

    private static byte[] GZip()
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest))
        {
            gzip.Write("content"u8);
        }

        return bytes.ToArray();
    }

    private static byte[] Tar()
    {
        using var bytes = new MemoryStream();
        using (var tar = new System.Formats.Tar.TarWriter(bytes))
        {
            tar.WriteEntry(new System.Formats.Tar.UstarTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "model.bin"));
        }

        return bytes.ToArray();
    }
}
