using TorchSharp;
using static TorchSharp.torch;

namespace TypedWeights.Tests.Loading;

public sealed class TypedLoadTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_property_of_a_typed_model_returns_its_tensor()
    {
        using TinyModel model = await LoadAsync(TinyModel.Entries);

        Assert.Equal([1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f], model.LmHead.Weight.data<float>().ToArray());
        Assert.Equal([4, 2], model.LmHead.Weight.shape);
        Assert.Equal([9f, 10f], model.Model.Layers[0].Mlp.Bias!.data<float>().ToArray());
        Assert.Null(model.Model.Layers[1].Mlp.Bias);
        Assert.Equal(ScalarType.BFloat16, model.Model.Layers[1].Mlp.Weight.dtype);
        Assert.Equal(TinyModel.Entries[3].Data, TensorBytes.Of(model.Model.Layers[1].Mlp.Weight));
        Assert.Equal([11f, 12f], model.Model.Norm.Weight.data<float>().ToArray());
        Assert.Same(model.Weights["model.norm.weight"], model.Model.Norm.Weight);
        Assert.NotNull(model.FirstTensorWhenBound);
    }

    [Fact]
    public async Task A_tied_weight_has_both_names_and_one_storage_and_is_freed_once()
    {
        long before = NativeTensors.Count();
        TinyModel model = await LoadAsync(TinyModel.Entries);

        using (NewDisposeScope())
        {
            model.LmHead.Weight[0, 0] = 100;
            Assert.Equal(100f, model.Model.EmbedTokens.Weight[0, 0].item<float>());
        }

        model.Dispose();
        model.Dispose();

        NativeTensors.AssertNoneSince(before);
        ObjectDisposedException gone = Assert.Throws<ObjectDisposedException>(() => model.Model.Norm.Weight);
        Assert.Contains("TinyModel", gone.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tensor_can_be_detached_by_its_path()
    {
        TinyModel model = await LoadAsync(TinyModel.Entries);

        using Tensor norm = model.Detach(TinyModel.Paths.Model.Norm.Weight);
        Assert.Throws<InvalidOperationException>(() => model.Model.Norm.Weight);
        model.Dispose();

        Assert.Equal(23f, norm.sum().item<float>());
    }

    [Fact]
    public async Task A_file_with_the_same_tensors_in_another_order_loads()
    {
        using TinyModel model = await LoadAsync([.. TinyModel.Entries.Reverse()]);

        Assert.Equal([11f, 12f], model.Model.Norm.Weight.data<float>().ToArray());
        Assert.Equal(8f, model.LmHead.Weight[3, 1].item<float>());
    }

    [Fact]
    public async Task A_typed_model_loads_from_shards()
    {
        TestFile.Entry[] entries = [.. TinyModel.Entries, TestFile.F32("model.embed_tokens.weight", [4, 2], 0, 0, 0, 0, 0, 0, 0, 0)];
        string index = TestFile.WriteSharded(_folder.Path, new Dictionary<string, TestFile.Entry[]>
        {
            ["b.safetensors"] = entries[..2],
            ["a.safetensors"] = entries[2..],
        });

        using TinyModel model = await TinyModel.LoadAsync(index, null, null, TestContext.Current.CancellationToken);

        Assert.Equal([9f, 10f], model.Model.Layers[0].Mlp.Bias!.data<float>().ToArray());
    }

    [Theory]
    [InlineData("both", true)]
    [InlineData("alias only", true)]
    [InlineData("kept only, unrecorded", true)]
    public async Task A_tied_pair_may_be_saved_under_either_name_or_both(string saved, bool shared)
    {
        TestFile.Entry head = TinyModel.Entries[0];
        TestFile.Entry alias = head with { Name = "model.embed_tokens.weight" };
        IEnumerable<TestFile.Entry> tied = saved switch
        {
            "both" => [head, alias],
            "alias only" => [alias],
            _ => [head],
        };

        using TinyModel model = await LoadAsync([.. tied, .. TinyModel.Entries[1..]], metadata: null);

        Assert.Equal(8f, model.LmHead.Weight[3, 1].item<float>());
        model.LmHead.Weight[0, 0] = 50;
        Assert.Equal(shared, model.Model.EmbedTokens.Weight[0, 0].item<float>() == 50);
    }

    [Fact]
    public async Task Every_difference_is_reported_at_once_and_nothing_is_bound_or_kept()
    {
        TestFile.Entry[] entries =
        [
            TestFile.F32("lm_head.weight", [2, 4], 1, 2, 3, 4, 5, 6, 7, 8),
            TestFile.F32("model.layers.0.mlp.biass", [2], 9, 10),
            TestFile.Noise("model.layers.0.mlp.weight", "F16", 16, 2, 2),
            TestFile.Noise("model.layers.1.mlp.weight", "BF16", 16, 2, 2),
            TestFile.F32("extra", [1], 1),
        ];
        int bound = TinyModel.Bound;
        long before = NativeTensors.Count();

        WeightMismatchException error = await Assert.ThrowsAsync<WeightMismatchException>(() => LoadAsync(entries));

        Assert.Equal(
            [
                "missing \"model.layers.0.mlp.bias\": expected F32 [2] (did you mean \"model.layers.0.mlp.biass\"?)",
                "missing \"model.norm.weight\": expected F32 [2]",
                "different \"lm_head.weight\": expected F32 [4, 2], found F32 [2, 4]",
                "different \"model.embed_tokens.weight\": expected F32 [4, 2], found F32 [2, 4]",
                "different \"model.layers.0.mlp.weight\": expected BF16 [2, 2], found F16 [2, 2]",
                "unexpected \"extra\": found F32 [1]",
                "unexpected \"model.layers.0.mlp.biass\": found F32 [2]",
            ],
            error.Mismatches.Select(mismatch => mismatch.ToString()));
        Assert.All(error.Mismatches, mismatch => Assert.Contains(mismatch.ToString(), error.Message, StringComparison.Ordinal));
        Assert.Equal(bound, TinyModel.Bound);
        NativeTensors.AssertNoneSince(before);
    }

    [Fact]
    public async Task Unexpected_tensors_are_not_read_when_the_options_say_so()
    {
        string path = Write([.. TinyModel.Entries, TestFile.F32("extra", [1], 1)], TinyModel.Tied);
        var log = new ProgressLog();

        using TinyModel model = await TinyModel.LoadAsync(
            path, new() { Unexpected = UnexpectedTensors.Ignore }, log, TestContext.Current.CancellationToken);

        Assert.False(model.Weights.ContainsKey("extra"));
        Assert.Equal(TinyModel.Entries.Sum(entry => entry.Data.Length), log.Reports.Last().BytesTotal);
    }

    [Fact]
    public async Task A_generated_class_loads_with_the_loader_that_it_is_given()
    {
        WeightLoader loader = new WeightLoaderBuilder().Build();
        await loader.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => TinyModel.LoadAsync(loader, new(), null, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => TinyModel.BeginLoadAsync(loader, new(), null, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Without_a_source_of_its_own_a_load_reads_the_source_of_the_class()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        Func<Task>[] loads =
        [
            () => TinyModel.LoadAsync(new() { Storage = TensorStorage.PerTensor }, cancellationToken: token),
            () => TinyModel.BeginLoadAsync(new() { Storage = TensorStorage.PerTensor }, cancellationToken: token),
        ];
        foreach (Func<Task> load in loads)
        {
            var error = await Assert.ThrowsAsync<WeightSourceException>(load);
            Assert.StartsWith("tiny/model.safetensors: ", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_source_that_is_null_or_no_uri_is_refused()
    {
        CancellationToken token = TestContext.Current.CancellationToken;

        await Assert.ThrowsAsync<ArgumentNullException>("source", () => TinyModel.LoadAsync(source: null!, cancellationToken: token));
        await Assert.ThrowsAsync<ArgumentNullException>("source", () => TinyModel.BeginLoadAsync(source: null!, cancellationToken: token));
        WeightsException error = await Assert.ThrowsAsync<WeightsException>(() => TinyModel.LoadAsync(" ", cancellationToken: token));
        Assert.Equal("The URI of the weights is empty.", error.Message);
    }

    [Fact]
    public async Task A_saved_typed_model_loads_again()
    {
        string saved = _folder["saved.safetensors"];
        using (TinyModel model = await LoadAsync(TinyModel.Entries))
        {
            model.Model.Norm.Weight.fill_(2);
            await model.SaveAsync(saved, TestContext.Current.CancellationToken);
        }

        using TinyModel again = await TinyModel.LoadAsync(saved, null, null, TestContext.Current.CancellationToken);

        Assert.Equal(4f, again.Model.Norm.Weight.sum().item<float>());
        Assert.Equal("pt", again.Weights.Metadata["format"]);
    }

    [Fact]
    public void Paths_name_every_weight_without_loading()
    {
        WeightPath weight = TinyModel.Paths.Model.Layers[1].Mlp.Weight;

        Assert.Equal(("model.layers.1.mlp.weight", DType.BF16, "[2, 2]"), (weight.Name, weight.DType, weight.Shape.ToString()));
        Assert.Null(TinyModel.Paths.Model.Layers[1].Mlp.Bias);
        Assert.Equal(2, TinyModel.Paths.Model.Layers[..2].Count);
    }

    private Task<TinyModel> LoadAsync(TestFile.Entry[] entries) => LoadAsync(entries, TinyModel.Tied);

    private Task<TinyModel> LoadAsync(TestFile.Entry[] entries, IReadOnlyDictionary<string, string>? metadata) =>
        TinyModel.LoadAsync(Write(entries, metadata), null, null, TestContext.Current.CancellationToken);

    private string Write(TestFile.Entry[] entries, IReadOnlyDictionary<string, string>? metadata) =>
        TestFile.Write(_folder[$"{Guid.NewGuid():N}.safetensors"], entries, metadata);
}
