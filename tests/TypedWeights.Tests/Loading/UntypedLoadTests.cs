using TorchSharp;
using static TorchSharp.torch;

namespace TypedWeights.Tests.Loading;

public sealed class UntypedLoadTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Tensors_of_every_dtype_load_with_their_bytes_and_the_type_of_libtorch()
    {
        TestFile.Entry[] entries = [.. DTypes.All.Select(dtype => TestFile.Noise(dtype.Name(), dtype.Name(), dtype.BitSize(), 3, 8))];
        string path = TestFile.Write(_folder["all.safetensors"], entries);

        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(22, weights.Count);
        foreach (TestFile.Entry entry in entries)
        {
            Assert.Equal(entry.Data, TensorBytes.Of(weights[entry.Name]));
        }

        Assert.Equal(ScalarType.BFloat16, weights["BF16"].dtype);
        Assert.Equal((ScalarType)24, weights["F8_E4M3"].dtype);
        Assert.Equal([3, 4], weights["F4"].shape);
        Assert.Equal(ScalarType.Byte, weights["F6_E2M3"].dtype);
        Assert.Equal([18], weights["F6_E2M3"].shape);
        Assert.All(weights.Entries, entry => Assert.Equal("[3, 8]", entry.Shape.ToString()));
    }

    [Fact]
    public async Task Scalars_and_empty_tensors_keep_their_shapes()
    {
        string path = TestFile.Write(
            _folder["odd.safetensors"], [TestFile.F32("scalar", [], 7), TestFile.F32("empty", [2, 0]), TestFile.F32("one", [1, 1], 3)]);

        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(7f, weights["scalar"].item<float>());
        Assert.Equal([2, 0], weights["empty"].shape);
        Assert.Equal(3f, weights["one"].item<float>());
    }

    [Fact]
    public async Task A_tensor_larger_than_many_ranges_loads_with_its_bytes_in_order()
    {
        TestFile.Entry[] entries = [TestFile.Noise("a", "U8", 8, 3), TestFile.Noise("large", "U8", 8, 40_000_003), TestFile.Noise("z", "U8", 8, 5)];
        string path = TestFile.Write(_folder["large.safetensors"], entries);

        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);

        foreach (TestFile.Entry entry in entries)
        {
            Assert.True(entry.Data.AsSpan().SequenceEqual(TensorBytes.Of(weights[entry.Name])), entry.Name);
        }
    }

    [Fact]
    public async Task An_index_loads_as_one_model()
    {
        string index = TestFile.WriteSharded(_folder.Path, new Dictionary<string, TestFile.Entry[]>
        {
            ["model-00001-of-00002.safetensors"] = [TestFile.F32("a", [2], 1, 2)],
            ["model-00002-of-00002.safetensors"] = [TestFile.F32("b", [1], 3)],
        });

        using WeightSet fromIndex = await WeightLoader.Default.LoadTensorsAsync(index, cancellationToken: TestContext.Current.CancellationToken);
        using WeightSet fromFolder = await WeightLoader.Default.LoadTensorsAsync(
            _folder.Path, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(["a", "b"], fromIndex.Keys.Order());
        Assert.Equal(3f, fromIndex["b"].item<float>());
        Assert.Equal(["a", "b"], fromFolder.Keys.Order());
    }

    [Fact]
    public async Task A_tied_name_shares_the_storage_of_its_tensor()
    {
        string path = TestFile.Write(
            _folder["tied.safetensors"],
            [TestFile.F32("lm_head.weight", [2], 1, 2)],
            new Dictionary<string, string> { ["model.embed_tokens.weight"] = "lm_head.weight", ["format"] = "pt" });

        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(2, weights.Count);
        Assert.Equal(
            TensorBytesAddress(weights["lm_head.weight"]), TensorBytesAddress(weights["model.embed_tokens.weight"]));
        weights["lm_head.weight"].fill_(9);
        Assert.Equal(18f, weights["model.embed_tokens.weight"].sum().item<float>());
    }

    [Fact]
    public async Task A_detached_tensor_outlives_the_set_and_its_tied_name_stays_in_the_set()
    {
        string path = TestFile.Write(
            _folder["tied.safetensors"],
            [TestFile.F32("kept", [2], 1, 2), TestFile.F32("other", [1], 5)],
            new Dictionary<string, string> { ["alias"] = "kept", ["tie:alias"] = "kept" });
        WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);

        using Tensor kept = weights.Detach("kept");
        Assert.Equal(3f, weights["alias"].sum().item<float>());
        InvalidOperationException gone = Assert.Throws<InvalidOperationException>(() => weights["kept"]);
        Assert.Contains("Detach", gone.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => weights.Detach("kept"));
        Assert.Equal(2, weights.Count);
        Assert.DoesNotContain("kept", weights.Keys);
        Assert.False(weights.TryGetValue("kept", out _));
        Assert.Equal(["alias", "other"], weights.Select(pair => pair.Key).Order());
        weights.Dispose();

        Assert.Equal(3f, kept.sum().item<float>());
        Assert.Throws<ObjectDisposedException>(() => weights["other"]);
        Assert.Throws<ObjectDisposedException>(() => weights.Detach("other"));
        Assert.Throws<ObjectDisposedException>(() => weights.Count);
    }

    [Fact]
    public async Task Disposing_a_set_frees_every_tensor_once_and_a_second_dispose_does_nothing()
    {
        string path = TestFile.Write(
            _folder["tied.safetensors"],
            [TestFile.F32("kept", [2], 1, 2)],
            new Dictionary<string, string> { ["alias"] = "kept", ["tie:alias"] = "kept" });
        long before = NativeTensors.Count();

        WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(2, weights.Count);
        weights.Dispose();
        weights.Dispose();

        NativeTensors.AssertNoneSince(before);
    }

    [Fact]
    public async Task A_dispose_scope_of_the_caller_does_not_own_the_tensors()
    {
        string path = TestFile.Write(
            _folder["scope.safetensors"], [TestFile.F32("w", [2], 1, 2)], new Dictionary<string, string> { ["alias"] = "w", ["tie:alias"] = "w" });
        WeightSet weights;
        using (NewDisposeScope())
        {
            weights = await WeightLoader.Default.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);
        }

        using (weights)
        {
            Assert.Equal(3f, weights["w"].sum().item<float>());
            Assert.Equal(3f, weights["alias"].sum().item<float>());
        }
    }

    [Fact]
    public async Task An_absent_name_is_an_error_that_suggests_a_similar_one()
    {
        string path = TestFile.Write(_folder["near.safetensors"], [TestFile.F32("model.embed_tokens.weight", [1], 1)]);
        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);

        KeyNotFoundException error = Assert.Throws<KeyNotFoundException>(() => weights["model.embed_token.weight"]);

        Assert.Contains("did you mean \"model.embed_tokens.weight\"?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unsupported_device_is_refused_before_the_file_is_opened()
    {
        WeightsException error = await Assert.ThrowsAsync<WeightsException>(() => WeightLoader.Default.LoadTensorsAsync(
            _folder["absent.safetensors"], new TensorLoadOptions { Device = META }, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("meta", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disposed_loader_throws_ObjectDisposedException()
    {
        WeightLoader loader = new WeightLoaderBuilder().Build();
        await loader.DisposeAsync();
        await loader.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => loader.LoadTensorsAsync(_folder["any.safetensors"], cancellationToken: TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Disposing_the_default_loader_does_not_close_it()
    {
        string path = TestFile.Write(_folder["one.safetensors"], [TestFile.F32("a", [1], 1)]);

        await WeightLoader.Default.DisposeAsync();
        WeightLoader.Default.Dispose();

        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(1f, weights["a"].item<float>());
    }

    private static nint TensorBytesAddress(Tensor tensor) => TypedWeights.Interop.TensorData.Address(tensor);
}
