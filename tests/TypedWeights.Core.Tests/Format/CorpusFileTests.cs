using System.Security.Cryptography;
using TypedWeights.Checkpoints;
using TypedWeights.Sources;
using TypedWeights.Sources.File;

namespace TypedWeights.Tests.Format;

public sealed class CorpusFileTests
{
    private const int Cases = 226;

    public static TheoryData<string> Valid => Where(static c => c.Verdict == "valid");

    public static TheoryData<string> Invalid => Where(static c => c.Verdict == "invalid");

    public static TheoryData<string> Disputed => Where(static c => c.Verdict == "reference-accepts");

    [Fact]
    public void Every_file_case_of_the_corpus_is_on_the_disk()
    {
        Assert.Equal(Cases, Corpus.Files.Count);
        Assert.Equal(Cases, Corpus.Files.Select(static c => c.File).Distinct().Count());
        Assert.Equal(Cases, Valid.Count + Invalid.Count + Disputed.Count);
        IEnumerable<string> onDisk = new[] { "valid", "invalid", "disputed" }.SelectMany(
            static folder => Directory.EnumerateFiles(Path.Combine(Corpus.Root, folder)),
            static (folder, file) => $"{folder}/{Path.GetFileName(file)}");
        Assert.Equal(Corpus.Files.Select(static c => c.File).Order(), onDisk.Order());
    }

    [Fact]
    public async Task Every_file_of_the_corpus_has_the_recorded_length_and_digest()
    {
        foreach (FileCase c in Corpus.Files)
        {
            byte[] bytes = await File.ReadAllBytesAsync(PathOf(c), TestContext.Current.CancellationToken);
            Assert.Equal((c.File, c.FileBytes, c.FileSha256), (c.File, bytes.LongLength, Convert.ToHexStringLower(SHA256.HashData(bytes))));
        }
    }

    [Theory]
    [MemberData(nameof(Valid))]
    public async Task A_valid_file_is_read_like_the_reference_implementation_reads_it(string file) => await AssertAcceptedAsync(Find(file));

    [Theory]
    [MemberData(nameof(Invalid))]
    public async Task An_invalid_file_fails_with_the_error_kind_of_the_reference_implementation(string file)
    {
        FileCase c = Find(file);
        SafeTensorsFormatException error = await AssertRefusedAsync(c);
        Assert.Equal(c.ReferenceError, error.Kind.ToString());
    }

    [Theory]
    [MemberData(nameof(Disputed))]
    public async Task A_disputed_file_is_accepted_or_refused_as_the_corpus_recommends(string file)
    {
        FileCase c = Find(file);
        switch (c.Recommended)
        {
            case "accept":
                await AssertAcceptedAsync(c);
                break;
            case "reject":
                Assert.Equal(SafeTensorsErrorKind.InvalidHeaderDeserialization, (await AssertRefusedAsync(c)).Kind);
                break;
            default:
                Assert.Equal("either", c.Recommended);
                await AssertAcceptedAsync(c);
                break;
        }
    }

    private static async Task AssertAcceptedAsync(FileCase c)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        await using FileSource source = FileSource.Open(PathOf(c), c.File);
        SafeTensorsHeader header = await source.ReadHeaderAsync(token);

        Assert.Equal(c.HeaderLen, (ulong)header.HeaderLength);
        Assert.Equal(c.Metadata ?? [], header.Metadata.ToDictionary());
        Assert.Equal(c.FileBytes, header.DataStart + header.DataLength);
        Assert.Equal(
            c.Tensors!.Select(static t => (t.Name, t.Dtype, $"[{string.Join(", ", t.Shape)}]", t.Begin, t.End)),
            header.Tensors.Select(static t => (t.Name, t.DType.Name(), t.Shape.ToString(), t.Begin, t.End)));
        foreach ((TensorCase expected, TensorInfo found) in c.Tensors!.Zip(header.Tensors))
        {
            byte[] bytes = await source.ReadAsync(header.DataStart + found.Begin, (int)found.ByteLength, token);
            Assert.Equal(expected.Sha256, Convert.ToHexStringLower(SHA256.HashData(bytes)));
        }

        byte[] text = await source.ReadAsync(8, (int)header.HeaderLength, token);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(text)), header.Sha256);
    }

    private static async Task<SafeTensorsFormatException> AssertRefusedAsync(FileCase c)
    {
        await using FileSource source = FileSource.Open(PathOf(c), c.File);
        var error = await Assert.ThrowsAsync<SafeTensorsFormatException>(
            async () => await source.ReadHeaderAsync(TestContext.Current.CancellationToken));
        Assert.StartsWith(c.File + ": ", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Position!.Value, 0, c.FileBytes);
        Assert.DoesNotContain(error.Message, static ch => char.IsControl(ch));
        return error;
    }

    private static TheoryData<string> Where(Func<FileCase, bool> condition) =>
        [.. Corpus.Files.Where(condition).Select(static c => c.File)];

    private static FileCase Find(string file) => Corpus.Files.Single(c => c.File == file);

    private static string PathOf(FileCase c) => Path.Combine(Corpus.Root, c.File);
}
