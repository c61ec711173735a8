using System.Security.Cryptography;
using System.Text;
using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Manifests;
using TypedWeights.Snapshots;
using TypedWeights.Sources;
using TypedWeights.Sources.File;

namespace TypedWeights.Tests.Gpu;

/// <summary>Conversion, placement, digests and early use, with bytes that libtorch itself fetches back.</summary>
public sealed class OptionsOnCardTests : IDisposable
{
    private static readonly TestFile.Entry[] Entries =
    [
        .. Enumerable.Range(0, 6).Select(i => TestFile.Noise($"layers.{i}.weight", "BF16", 16, 1024, 700)),
        TestFile.F32("scale", [4], 0.5f, -1e-40f, 3e38f, float.PositiveInfinity),
        TestFile.F32("none", [0, 4]),
    ];

    private readonly TempFolder _folder = new();
    private readonly string _path;

    public OptionsOnCardTests() => _path = TestFile.Write(_folder["m.safetensors"], Entries);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(torch.ScalarType.Float32)]
    [InlineData(torch.ScalarType.Float16)]
    public async Task A_tensor_converted_during_the_load_equals_the_conversion_of_libtorch(torch.ScalarType to)
    {
        Card.Require();
        await using WeightLoader loader = new WeightLoaderBuilder().Build();
        using WeightSet expected = await loader.LoadTensorsAsync(_path, cancellationToken: Token);

        using WeightSet weights = await loader.LoadTensorsAsync(_path, new() { Device = Card.Device, DType = to }, cancellationToken: Token);

        foreach ((string name, torch.Tensor tensor) in expected)
        {
            using torch.Tensor converted = tensor.to(to);
            Assert.Equal(to, weights[name].dtype);
            Assert.Equal(Card.BytesOf(converted), Card.BytesOf(weights[name]));
        }
    }

    [Fact]
    public async Task A_placement_puts_some_tensors_on_the_GPU_and_leaves_others_on_the_host()
    {
        Card.Require();
        await using WeightLoader loader = new WeightLoaderBuilder().Build();

        using WeightSet weights = await loader.LoadTensorsAsync(
            _path, new() { Placement = new Placement().Put("layers.{0..2}.*", Card.Device) }, cancellationToken: Token);

        Assert.All(Entries, entry =>
        {
            bool isPlaced = entry.Name is "layers.0.weight" or "layers.1.weight" or "layers.2.weight";
            Assert.Equal(isPlaced ? Card.Device.type : DeviceType.CPU, weights[entry.Name].device_type);
            Assert.Equal(weights[entry.Name].device_type, weights.Entry(entry.Name).Device.type);
            Assert.Equal(entry.Data, Card.BytesOf(weights[entry.Name]));
        });
    }

    [Fact]
    public async Task A_begun_load_releases_each_tensor_after_its_digest_was_verified()
    {
        Card.Require();
        await CardModel.TakeSnapshotAsync(_path);
        await using WeightLoader loader = new WeightLoaderBuilder().Build();
        var options = new LoadOptions { Device = Card.Device, Verify = Verification.Digests };
        using (CardModel model = await loader.BeginLoadAsync<CardModel>(_path, options, cancellationToken: Token))
        {
            foreach (TestFile.Entry entry in Entries)
            {
                await model.Weights.Entry(entry.Name).WhenReadyAsync(Token);
                Assert.Equal(entry.Data, Card.BytesOf(model.Weights[entry.Name]));
            }

            await model.Weights.WhenReadyAsync(Token);
        }

        byte[] other = await File.ReadAllBytesAsync(_path, Token);
        other[^1000] ^= 1;
        await File.WriteAllBytesAsync(_path, other, Token);
        using CardModel wrong = await loader.BeginLoadAsync<CardModel>(_path, options, cancellationToken: Token);
        WeightMismatchException error = await Assert.ThrowsAsync<WeightMismatchException>(() => wrong.Weights.WhenReadyAsync(Token));
        Assert.Equal("layers.5.weight", Assert.Single(error.Mismatches).Name);
    }

    /// <summary>A model as the generator would write it, of a snapshot that is taken here.</summary>
    private sealed class CardModel(WeightSet weights) : IWeightModel<CardModel>
    {
        private static WeightManifest? _manifest;

        public static WeightManifest Manifest => _manifest!;

        public WeightSet Weights => weights;

        public static async Task TakeSnapshotAsync(string path)
        {
            var uri = WeightUri.Parse(path);
            await using var provider = new FileProvider();
            await using Checkpoint checkpoint = await CheckpointReader.ReadAsync(uri, await provider.LocateAsync(uri, Token));
            var digests = Entries.ToDictionary(entry => entry.Name, entry => Convert.ToHexStringLower(SHA256.HashData(entry.Data)));
            WeightSnapshot snapshot = SnapshotBuilder.Build(checkpoint, "Card", digests);
            _manifest = WeightManifest.Parse(Encoding.ASCII.GetBytes(ManifestWriter.Write(snapshot, snapshot.Source, Token)));
        }

        public static CardModel Bind(WeightSet weights) => new(weights);

        public void Dispose() => weights.Dispose();
    }
}
