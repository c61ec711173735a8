using System.Security.Cryptography;
using System.Text;
using TypedWeights.Checkpoints;
using TypedWeights.Manifests;
using TypedWeights.Snapshots;
using TypedWeights.Sources;
using TypedWeights.Sources.File;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Loading;

/// <summary>A load checks every tensor against the digest of the snapshot, and refuses the model where one differs.</summary>
public sealed class DigestTests : IAsyncLifetime
{
    private static readonly Dictionary<string, string> Digests =
        NoiseFile.Entries.ToDictionary(entry => entry.Name, entry => Convert.ToHexStringLower(SHA256.HashData(entry.Data)));

    private readonly TempFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Path => _folder["model.safetensors"];

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllBytesAsync(Path, NoiseFile.Bytes);
        DigestedModel.Load(await SnapshotAsync(Path));
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    [InlineData(TensorStorage.Mapped)]
    public async Task A_file_with_the_right_bytes_loads_and_one_with_a_flipped_bit_is_refused(TensorStorage storage)
    {
        long before = NativeTensors.Count();
        var options = new LoadOptions { Storage = storage, Verify = Verification.Digests };
        using (DigestedModel model = await WeightLoader.Default.LoadAsync<DigestedModel>(Path, options, null, Token))
        {
            NoiseFile.AssertIn(model.Weights);
        }

        byte[] other = [.. NoiseFile.Bytes];
        other[^1_000_000] ^= 4;
        await File.WriteAllBytesAsync(Path, other, Token);

        WeightMismatchException e = await Assert.ThrowsAsync<WeightMismatchException>(
            () => WeightLoader.Default.LoadAsync<DigestedModel>(Path, options, null, Token));

        WeightMismatch mismatch = Assert.Single(e.Mismatches);
        Assert.Equal((MismatchKind.Digest, "layers.1.mask"), (mismatch.Kind, mismatch.Name));
        Assert.Equal("SHA-256 " + Digests["layers.1.mask"], mismatch.Expected);
        Assert.Equal("SHA-256 " + Convert.ToHexStringLower(SHA256.HashData(other.AsSpan(^1_500_001..))), mismatch.Found);
        Assert.Contains("other bytes in \"layers.1.mask\"", e.Message, StringComparison.Ordinal);
        NativeTensors.AssertNoneSince(before);

        // Who does not ask gets it.
        using DigestedModel unchecked_ = await WeightLoader.Default.LoadAsync<DigestedModel>(
            options with { Verify = Verification.None }, null, Token);
    }

    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    public async Task Digests_are_right_although_ranges_arrive_in_any_order_and_more_than_once(TensorStorage storage)
    {
        await using FaultServer server = await FaultServer.StartAsync();
        server.Files["/m.safetensors"] = ServedFile.Strong(NoiseFile.Bytes);
        server.Answer = request => request.Payload % 3 == 1 ? Respond.AbortAfter(100_000) : null;
        await using WeightLoader loader = new WeightLoaderBuilder()
            .UseTransferOptions(new() { PartSize = 128 << 10, RetryDelay = TimeSpan.FromMilliseconds(5), Attempts = 20 }).Build();
        var options = new LoadOptions { Storage = storage, Verify = Verification.Digests };

        using (DigestedModel model = await loader.LoadAsync<DigestedModel>(UriOf(server), options, null, Token))
        {
            NoiseFile.AssertIn(model.Weights);
        }

        server.Files["/m.safetensors"] = ServedFile.Strong(NoiseFile.OtherBytes);
        WeightMismatchException e = await Assert.ThrowsAsync<WeightMismatchException>(
            () => loader.LoadAsync<DigestedModel>(UriOf(server), options, null, Token));
        Assert.Equal(NoiseFile.Entries.Select(entry => entry.Name).Order(StringComparer.Ordinal), e.Mismatches.Select(mismatch => mismatch.Name));
    }

    [Fact]
    public async Task A_tensor_that_the_file_records_as_tied_is_checked_against_its_own_digest()
    {
        TestFile.Entry[] entries = [TestFile.Noise("a", "U8", 8, 1000), TestFile.Noise("b", "U8", 8, 1000)];
        DigestedModel.Load(await SnapshotAsync(TestFile.Write(Path, entries)));
        var options = new LoadOptions { Verify = Verification.Digests };
        using (DigestedModel model = await WeightLoader.Default.LoadAsync<DigestedModel>(Path, options, null, Token))
        {
            Assert.Equal(entries[0].Data, TensorBytes.Of(model.Weights["a"]));
        }

        // Its names, dtypes and shapes are still what the class wants.
        TestFile.Write(Path, entries[1..], new Dictionary<string, string> { ["a"] = "b", ["tie:a"] = "b" });

        WeightMismatchException e = await Assert.ThrowsAsync<WeightMismatchException>(
            () => WeightLoader.Default.LoadAsync<DigestedModel>(Path, options, null, Token));
        Assert.Equal((MismatchKind.Digest, "a"), (Assert.Single(e.Mismatches).Kind, e.Mismatches[0].Name));
    }

    [Fact]
    public async Task A_snapshot_that_lacks_the_digest_of_one_tensor_cannot_be_verified()
    {
        WeightSnapshot snapshot = await SnapshotAsync(Path);
        DigestedModel.Load(new WeightSnapshot(
            snapshot.Class,
            snapshot.Source,
            null,
            snapshot.Files,
            [.. snapshot.Tensors.Select(tensor => tensor.Name == "scale" ? tensor with { Sha256 = null } : tensor)]));

        WeightsException e = await Assert.ThrowsAsync<WeightsException>(() => WeightLoader.Default.LoadAsync<DigestedModel>(
            Path, new() { Verify = Verification.Digests }, null, Token));
        Assert.Contains("\"scale\"", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CacheMode.Check)]
    [InlineData(CacheMode.Trust)]
    public async Task A_cached_copy_with_wrong_digests_is_fetched_again_by_the_next_load(CacheMode mode)
    {
        byte[] other = [.. NoiseFile.Bytes];
        other[^1_000_000] ^= 4;
        await using FaultServer server = await FaultServer.StartAsync();
        server.Files["/m.safetensors"] = ServedFile.Strong(other);
        var options = new LoadOptions { Verify = Verification.Digests, Cache = mode };
        await using (WeightLoader loader = new WeightLoaderBuilder().UseLocalCache(_folder["cache"]).Build())
        {
            // A load that checks nothing has brought them there.
            using DigestedModel model = await loader.LoadAsync<DigestedModel>(
                UriOf(server), options with { Verify = Verification.None }, null, Token);
            Assert.True(await model.Weights.Caching);
            await Assert.ThrowsAsync<WeightMismatchException>(() => loader.LoadAsync<DigestedModel>(UriOf(server), options, null, Token));
        }

        // The server is mended, and calls the file what it called it before.
        server.Files["/m.safetensors"] = new(NoiseFile.Bytes) { Tag = server.Files["/m.safetensors"].Tag };
        await using (WeightLoader loader = new WeightLoaderBuilder().UseLocalCache(_folder["cache"]).Build())
        {
            using DigestedModel model = await loader.LoadAsync<DigestedModel>(UriOf(server), options, null, Token);
            NoiseFile.AssertIn(model.Weights);
        }
    }

    [Fact]
    public async Task A_file_with_another_layout_is_loaded_again_and_its_digests_are_checked()
    {
        await using FaultServer server = await FaultServer.StartAsync();
        server.Files["/m.safetensors"] = ServedFile.Strong(TestFile.Bytes(NoiseFile.Entries.Reverse()));
        await using WeightLoader loader = new WeightLoaderBuilder().Build();
        var options = new LoadOptions { Verify = Verification.Digests };

        using (DigestedModel model = await loader.LoadAsync<DigestedModel>(UriOf(server), options, null, Token))
        {
            NoiseFile.AssertIn(model.Weights);
        }

        server.Files["/m.safetensors"] = ServedFile.Strong(TestFile.Bytes(
            NoiseFile.Entries.Select(entry => entry with { Data = [.. entry.Data.Select(value => (byte)~value)] }).Reverse()));
        WeightMismatchException e = await Assert.ThrowsAsync<WeightMismatchException>(
            () => loader.LoadAsync<DigestedModel>(UriOf(server), options, null, Token));
        Assert.Equal(NoiseFile.Entries.Count, e.Mismatches.Count);
    }

    [Fact]
    public async Task Verifying_a_snapshot_without_digests_is_an_error_with_the_command_to_run()
    {
        var options = new LoadOptions { Verify = Verification.Digests };

        WeightsException e = await Assert.ThrowsAsync<WeightsException>(() => WeightLoader.Default.LoadAsync<NoiseModel>(Path, options, null, Token));

        // With the class: what the tool makes of the source alone is another name, and so another file.
        Assert.Contains(
            "typedweights snapshot noise/model.safetensors --class NoiseModel --digest, and rebuild.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verifying_digests_of_converted_tensors_is_an_error_that_names_DType()
    {
        // To a narrower dtype: its memory is shorter than the file's bytes.
        var options = new LoadOptions { Verify = Verification.Digests, DType = TorchSharp.torch.ScalarType.BFloat16 };

        WeightsException e = await Assert.ThrowsAsync<WeightsException>(
            () => WeightLoader.Default.LoadAsync<DigestedModel>(Path, options, null, Token));

        Assert.Contains("the option DType", e.Message, StringComparison.Ordinal);
    }

    private static string UriOf(FaultServer server) => server.Address + "/m.safetensors";

    private static async Task<WeightSnapshot> SnapshotAsync(string path)
    {
        var uri = WeightUri.Parse(path);
        await using var provider = new FileProvider();
        await using Checkpoint checkpoint = await CheckpointReader.ReadAsync(uri, await provider.LocateAsync(uri, default));
        var digests = new Dictionary<string, string>();
        foreach (CheckpointFile file in checkpoint.Files)
        {
            foreach (TensorInfo tensor in file.Header.Tensors)
            {
                byte[] bytes = await file.Source.ReadAsync(file.Header.DataStart + tensor.Begin, (int)tensor.ByteLength, default);
                digests[tensor.Name] = Convert.ToHexStringLower(SHA256.HashData(bytes));
            }
        }

        return SnapshotBuilder.Build(checkpoint, "Digested", digests);
    }

    /// <summary>A model as the generator would write it, of a snapshot that is taken here.</summary>
    private sealed class DigestedModel(WeightSet weights) : IWeightModel<DigestedModel>
    {
        private static WeightManifest? _manifest;

        public static WeightManifest Manifest => _manifest!;

        public WeightSet Weights => weights;

        public static void Load(WeightSnapshot snapshot) => _manifest =
            WeightManifest.Parse(Encoding.ASCII.GetBytes(ManifestWriter.Write(snapshot, snapshot.Source, CancellationToken.None)));

        public static DigestedModel Bind(WeightSet weights) => new(weights);

        public void Dispose() => weights.Dispose();
    }
}
