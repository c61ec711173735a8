using TypedWeights.Sources;
using TypedWeights.Sources.File;

namespace TypedWeights.Tests.Sources;

public sealed class FileRangeReaderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(100_000)]
    public async Task A_range_returns_its_bytes_for_reads_of_any_size(int most)
    {
        byte[] bytes = new byte[300_000];
        var random = new Random(most);
        random.NextBytes(bytes);
        await File.WriteAllBytesAsync(_folder["f"], bytes, TestContext.Current.CancellationToken);
        await using FileSource source = FileSource.Open(_folder["f"], "f");
        const int Begin = 1000;
        byte[] range = new byte[bytes.Length - 2000];

        await using IRangeReader reader = await source.OpenRangeAsync(Begin, range.Length, TestContext.Current.CancellationToken);
        for (int filled = 0; filled < range.Length;)
        {
            // Mostly tiny with a large one now and then: the buffer has to be emptied first.
            int wanted = Math.Min(range.Length - filled, random.Next(10) == 0 ? 10_000 : random.Next(1, most + 1));
            int read = await reader.ReadAsync(range.AsMemory(filled, wanted), TestContext.Current.CancellationToken);
            Assert.InRange(read, 1, wanted);
            filled += read;
        }

        Assert.True(range.AsSpan().SequenceEqual(bytes.AsSpan(Begin, range.Length)));
    }

    [Fact]
    public async Task A_small_read_of_a_file_that_was_cut_after_it_was_opened_is_an_error_and_returns_no_zeros()
    {
        await File.WriteAllBytesAsync(_folder["f"], new byte[10_000], TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(_folder["f"], DateTime.UtcNow.AddHours(-1));
        await using FileSource source = FileSource.Open(_folder["f"], "f");
        await using IRangeReader reader = await source.OpenRangeAsync(0, 10_000, TestContext.Current.CancellationToken);
        using (FileStream file = File.Open(_folder["f"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength(10);
        }

        byte[] piece = new byte[8];
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            async () => await reader.ReadAsync(piece, TestContext.Current.CancellationToken));

        Assert.Contains("was written to while it was read", error.Message, StringComparison.Ordinal);
    }
}
