using System.IO.Compression;
using TorchSharp;

namespace TypedWeights.Tests.Loading.Given;

/// <summary>What is handed over as memory or as a stream loads as a file does.</summary>
public sealed class GivenLoadTests : GivenTest
{
    private static readonly TestFile.Entry[] Entries =
    [
        TestFile.Noise("large", "U8", 8, 5_000_003),
        TestFile.F32("scalar", [], 7),
        TestFile.F32("empty", [2, 0]),
        TestFile.Noise("last", "BF16", 16, 30, 7),
    ];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Every_byte_arrives_and_nothing_is_left(string way)
    {
        long before = NativeTensors.Count();
        using (WeightSet weights = await LoadTensorsAsync(way, TestFile.Bytes(Entries)))
        {
            Assert.Equal(Entries.Select(entry => entry.Name).Order(), weights.Entries.Select(entry => entry.Name).Order());
            Assert.All(Entries, entry => Assert.True(entry.Data.AsSpan().SequenceEqual(TensorBytes.Of(weights[entry.Name])), entry.Name));
        }

        NativeTensors.AssertNoneSince(before);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_typed_model_loads_with_its_ties_and_metadata(string way)
    {
        using TinyModel model = await LoadAsync(way, TestFile.Bytes(TinyModel.Entries, TinyModel.Tied));

        Assert.Equal(23f, model.Model.Norm.Weight.sum().item<float>());
        Assert.Equal(8f, model.Model.EmbedTokens.Weight[3, 1].item<float>());
        Assert.Equal("pt", model.Weights.Metadata["format"]);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Tensors_are_converted_while_they_load(string way)
    {
        using TinyModel model = await LoadAsync(
            way, TestFile.Bytes(TinyModel.Entries, TinyModel.Tied), new() { DType = torch.bfloat16, Storage = TensorStorage.PerTensor });

        Assert.Equal(torch.ScalarType.BFloat16, model.Model.Norm.Weight.dtype);
        Assert.Equal(23f, model.Model.Norm.Weight.to(torch.float32).sum().item<float>());
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_file_without_tensors_is_an_empty_set(string way)
    {
        using WeightSet weights = await LoadTensorsAsync(way, TestFile.Bytes([]));

        Assert.Empty(weights);
    }

    [Theory]
    [InlineData(Memory)]
    [InlineData(Seekable)]
    public async Task A_filter_takes_some_of_the_tensors(string way)
    {
        using WeightSet weights = await LoadTensorsAsync(way, TestFile.Bytes(Entries), new() { Filter = name => name == "last" });

        Assert.Equal(Entries[3].Data, TensorBytes.Of(Assert.Single(weights).Value));
    }

    [Fact]
    public async Task A_stream_is_read_from_its_position_and_stays_open()
    {
        byte[] file = TestFile.Bytes(Entries);
        var stream = new MemoryStream([.. new byte[100], .. file]) { Position = 100 };

        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(stream, cancellationToken: Token);

        Assert.Equal(Entries[3].Data, TensorBytes.Of(weights["last"]));
        Assert.True(stream.CanRead);
    }

    [Fact]
    public async Task A_compressed_file_loads_from_the_stream_that_expands_it()
    {
        var compressed = new MemoryStream();
        await using (var writer = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await writer.WriteAsync(TestFile.Bytes(Entries), Token);
        }

        compressed.Position = 0;
        await using var stream = new GZipStream(compressed, CompressionMode.Decompress);
        using WeightSet weights = await SafeTensors.LoadAsync(stream, cancellationToken: Token);

        Assert.All(Entries, entry => Assert.True(entry.Data.AsSpan().SequenceEqual(TensorBytes.Of(weights[entry.Name])), entry.Name));
    }

    [Fact]
    public async Task A_path_loads_by_the_same_name_that_saves()
    {
        using var folder = new TempFolder();
        string path = TestFile.Write(folder["m.safetensors"], Entries);
        var log = new ProgressLog();

        using WeightSet weights = await SafeTensors.LoadAsync(path, new() { Filter = name => name == "last" }, log, Token);

        Assert.Equal(Entries[3].Data, TensorBytes.Of(Assert.Single(weights).Value));
        Assert.Equal(Entries[3].Data.Length, log.Reports.Last().BytesTotal);
    }

    [Fact]
    public async Task A_loader_with_an_offline_cache_loads_what_it_is_given()
    {
        using var folder = new TempFolder();
        await using WeightLoader loader = new WeightLoaderBuilder()
            .UseLocalCache(folder["cache"], new() { Mode = CacheMode.Offline }).Build();

        using WeightSet weights = await loader.LoadTensorsAsync(TestFile.Bytes(Entries), cancellationToken: Token);

        Assert.Equal(Entries[3].Data, TensorBytes.Of(weights["last"]));
        Assert.False(Directory.Exists(folder["cache"]));
    }
}
