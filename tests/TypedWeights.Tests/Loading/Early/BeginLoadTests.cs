using TorchSharp;

namespace TypedWeights.Tests.Loading.Early;

/// <summary>A model that is there before its tensors.</summary>
public sealed class BeginLoadTests : EarlyTest
{
    [Fact]
    public async Task The_first_layers_are_ready_while_the_last_one_is_still_loading()
    {
        HoldLayers(layer => layer == LayeredModel.LayerCount - 1);
        await using WeightLoader loader = Loader();

        using LayeredModel model = await BeginAsync(loader);
        Task all = model.WhenReadyAsync(TestContext.Current.CancellationToken);
        await Soon(model.Model.EmbedTokens.WhenReadyAsync(TestContext.Current.CancellationToken));

        // The last but one lies before the last in the file too, and shares a range with it.
        for (int layer = 0; layer < LayeredModel.LayerCount - 2; layer++)
        {
            await Soon(model.Model.Layers[layer].WhenReadyAsync(TestContext.Current.CancellationToken));
            LayeredModel.AssertIs($"model.layers.{layer}.attn.weight", model.Model.Layers[layer].Attn.Weight);
            LayeredModel.AssertIs($"model.layers.{layer}.norm.weight", model.Model.Layers[layer].Norm.Weight);
        }

        LayeredModel.AssertIs("lm_head.weight", model.Model.EmbedTokens.Weight);
        Task last = model.Model.Layers[^1].WhenReadyAsync(TestContext.Current.CancellationToken);
        InvalidOperationException early = Assert.Throws<InvalidOperationException>(() => model.Model.Layers[^1].Attn.Weight);
        Assert.Equal(
            "The tensor \"model.layers.11.attn.weight\" of LayeredModel is not ready yet; await WhenReadyAsync of its group or of the model "
                + "before you read it.",
            early.Message);
        Assert.False(last.IsCompleted || all.IsCompleted);
        Assert.Equal(LayeredModel.File.Count + 1, model.Weights.Count);
        Assert.True(model.Weights.ContainsKey("model.layers.11.attn.weight"));

        Gate.SetResult();
        await Soon(last);
        await Soon(all);
        Assert.All(LayeredModel.File, entry => LayeredModel.AssertIs(entry.Name, model.Weights[entry.Name]));
    }

    [Fact]
    public async Task Bytes_are_requested_in_the_order_of_use()
    {
        await using WeightLoader loader = Loader(Options with { MinConnections = 1, MaxConnections = 1 });

        using LayeredModel model = await BeginAsync(loader);
        await Soon(model.WhenReadyAsync(TestContext.Current.CancellationToken));

        string[] steps =
            [.. Server.Payloads.Select(request => Names(request)[^1]).Select(name => Layer(name) is { } layer ? $"{layer}" : name).Distinct()];
        Assert.Equal(["lm_head.weight", .. Enumerable.Range(0, LayeredModel.LayerCount).Select(i => $"{i}"), "model.norm.weight"], steps);
        Assert.Equal(LayeredModel.File.Sum(entry => entry.Data.Length), Server.Payloads.Sum(request => request.Length));
    }

    [Fact]
    public async Task A_begun_load_follows_OrderOfUse_and_a_plain_load_the_order_of_the_file()
    {
        await using WeightLoader loader = Loader(Options with { MinConnections = 1, MaxConnections = 1 });
        using (LayeredModel model = await BeginAsync(loader, new() { OrderOfUse = ["model.norm.*", "model.layers.{7}.*", "model.layers.*"] }))
        {
            await Soon(model.WhenReadyAsync(TestContext.Current.CancellationToken));
        }

        string[] first = [.. Server.Payloads.Select(request => Names(request)[0]).Distinct().Take(3)];
        Server.Requests.Clear();
        using LayeredModel plain = await loader.LoadAsync<LayeredModel>(Uri, null, null, TestContext.Current.CancellationToken);

        Assert.Equal(["model.norm.weight", "model.layers.7.attn.weight", "model.layers.0.attn.weight"], first);
        Assert.Equal(Server.Payloads.Select(request => request.From).Order(), Server.Payloads.Select(request => request.From));
        Assert.True(plain.Model.Layers[3].WhenReadyAsync(TestContext.Current.CancellationToken).IsCompletedSuccessfully);
        Assert.True(plain.WhenReadyAsync(TestContext.Current.CancellationToken).IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_begun_load_returns_no_model_before_the_header_although_the_payload_arrived()
    {
        long data = LayeredModel.File.Sum(entry => entry.Data.Length);
        Server.Answer = request => request.IsPayload ? null : Respond.After(() => Gate.Task, Respond.Serve);
        await using WeightLoader loader = Loader();

        Task<LayeredModel> begun = BeginAsync(loader);
        await Eventually.BecomesAsync(() => Server.Payloads.Sum(request => request.Sent) == data, () => "the payload waits for the header");
        Assert.False(begun.IsCompleted);
        Gate.SetResult();

        using LayeredModel model = await begun;
        await Soon(model.WhenReadyAsync(TestContext.Current.CancellationToken));
        Assert.All(LayeredModel.File, entry => LayeredModel.AssertIs(entry.Name, model.Weights[entry.Name]));
    }

    [Fact]
    public async Task A_begun_load_of_a_file_with_another_layout_is_planned_again()
    {
        Server.Files[Path] = ServedFile.Strong(TestFile.Bytes(LayeredModel.File.Reverse(), LayeredModel.Tied));
        await using WeightLoader loader = Loader();
        long before = NativeTensors.Count();

        using (LayeredModel model = await BeginAsync(loader))
        {
            await Soon(model.Model.Layers[0].WhenReadyAsync(TestContext.Current.CancellationToken));
            await Soon(model.WhenReadyAsync(TestContext.Current.CancellationToken));
            Assert.All(LayeredModel.File, entry => LayeredModel.AssertIs(entry.Name, model.Weights[entry.Name]));
        }

        NativeTensors.AssertNoneSince(before);
    }

    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    [InlineData(TensorStorage.Mapped)]
    public async Task A_begun_load_of_a_local_file_releases_its_tensors(TensorStorage storage)
    {
        using var folder = new TempFolder();
        string path = TestFile.Write(folder["model.safetensors"], LayeredModel.File, LayeredModel.Tied);
        long before = NativeTensors.Count();

        using (LayeredModel model = await LayeredModel.BeginLoadAsync(
            path, new() { Storage = storage }, cancellationToken: TestContext.Current.CancellationToken))
        {
            await Soon(model.Model.Layers[0].WhenReadyAsync(TestContext.Current.CancellationToken));
            LayeredModel.AssertIs("model.layers.0.attn.weight", model.Model.Layers[0].Attn.Weight);
            await Soon(model.WhenReadyAsync(TestContext.Current.CancellationToken));
            Assert.All(LayeredModel.File, entry => LayeredModel.AssertIs(entry.Name, model.Weights[entry.Name]));
        }

        NativeTensors.AssertNoneSince(before);
    }

    [Fact]
    public async Task A_begun_load_from_a_server_without_ranges_completes()
    {
        Server.Answer = static _ => Respond.IgnoreRange;
        await using WeightLoader loader = Loader();

        using LayeredModel model = await BeginAsync(loader);
        await Soon(model.WhenReadyAsync(TestContext.Current.CancellationToken));

        Assert.All(LayeredModel.File, entry => LayeredModel.AssertIs(entry.Name, model.Weights[entry.Name]));
    }

    [Fact]
    public async Task Device_and_dtype_are_known_before_a_converted_tensor_is_ready()
    {
        HoldLayers(static _ => true);
        await using WeightLoader loader = Loader();

        using LayeredModel model = await BeginAsync(
            loader, new() { DType = torch.bfloat16, Placement = new Placement().Put("model.layers.{0..3}.*", "cpu") });
        WeightEntry entry = model.Weights.Entry("model.layers.2.attn.weight");
        Assert.Equal((DType.F32, torch.bfloat16, DeviceType.CPU), (entry.DType, entry.TensorDType, entry.Device.type));
        Assert.Throws<InvalidOperationException>(() => entry.Tensor);
        Gate.SetResult();
        await Soon(entry.WhenReadyAsync(TestContext.Current.CancellationToken));

        using WeightSet plain = await loader.LoadTensorsAsync(Uri, cancellationToken: TestContext.Current.CancellationToken);
        using torch.Tensor expected = plain["model.layers.2.attn.weight"].to(torch.bfloat16);
        Assert.Equal(TensorBytes.Of(expected), TensorBytes.Of(entry.Tensor));
        await Soon(model.WhenReadyAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Progress_continues_after_a_begun_load_returned_its_model()
    {
        var log = new ProgressLog();
        await using WeightLoader loader = Loader();

        using LayeredModel model = await BeginAsync(loader, progress: log);
        await Soon(model.WhenReadyAsync(TestContext.Current.CancellationToken));

        LoadProgress last = log.Reports.Last();
        Assert.Equal((last.BytesTotal, last.TensorsTotal, 1), (last.Bytes, last.Tensors, last.Fraction));
        Assert.Equal(log.Reports.Select(report => report.Bytes).Order(), log.Reports.Select(report => report.Bytes));
    }

    [Fact]
    public async Task A_ready_model_of_a_begun_load_can_be_saved_and_its_tensors_detached()
    {
        using var folder = new TempFolder();
        await using WeightLoader loader = Loader();
        using LayeredModel model = await BeginAsync(loader);
        await Soon(model.WhenReadyAsync(TestContext.Current.CancellationToken));

        await model.SaveAsync(folder["saved.safetensors"], TestContext.Current.CancellationToken);
        using torch.Tensor norm = model.Detach(LayeredModel.Paths.Model.Norm.Weight);

        LayeredModel.AssertIs("model.norm.weight", norm);
        Assert.Contains("Detach", Assert.Throws<InvalidOperationException>(() => model.Model.Norm.Weight).Message, StringComparison.Ordinal);
        using WeightSet saved = await loader.LoadTensorsAsync(folder["saved.safetensors"], cancellationToken: TestContext.Current.CancellationToken);
        LayeredModel.AssertIs("model.layers.11.attn.weight", saved["model.layers.11.attn.weight"]);
    }
}
