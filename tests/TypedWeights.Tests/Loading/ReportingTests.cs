namespace TypedWeights.Tests.Loading;

public sealed class ReportingTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Progress_ends_with_everything_and_never_goes_back()
    {
        string index = TestFile.WriteSharded(_folder.Path, new Dictionary<string, TestFile.Entry[]>
        {
            ["1.safetensors"] = [TestFile.Noise("a", "U8", 8, 20_000_000), TestFile.F32("empty", [0])],
            ["2.safetensors"] = [TestFile.Noise("b", "U8", 8, 20_000_000)],
        });
        var log = new ProgressLog();

        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(index, null, log, TestContext.Current.CancellationToken);

        LoadProgress last = log.Reports.Last();
        Assert.Equal((2, 2, 3, 3), (last.Files, last.FilesTotal, last.Tensors, last.TensorsTotal));
        Assert.Equal((40_000_000, 40_000_000), (last.Bytes, last.BytesTotal));
        Assert.Equal(1, last.Fraction);
        Assert.True(last.BytesPerSecond > 0);
    }

    [Fact]
    public async Task A_load_logs_what_it_reads_and_what_it_took()
    {
        string path = TestFile.Write(_folder["log.safetensors"], [TestFile.Noise("a", "U8", 8, 5_000_000)]);
        var lines = new LineLogger();
        await using WeightLoader loader = new WeightLoaderBuilder().UseLogging(lines).Build();

        using WeightSet weights = await loader.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);

        Assert.StartsWith($"Loading {path}: 1 file(s), 1 tensors, 0.005 GB", lines.Lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"Loaded {path}: 0.005 GB in ", lines.Lines[^1], StringComparison.Ordinal);
    }
}
