using TorchSharp;

namespace TypedWeights.Tests.Loading;

public sealed class PlacementTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Patterns_place_tensors_and_the_entries_and_properties_show_the_device()
    {
        string path = TestFile.Write(_folder["m.safetensors"], TinyModel.Entries, TinyModel.Tied);

        using TinyModel model = await TinyModel.LoadAsync(
            path,
            new()
            {
                Device = torch.CPU,
                Placement = new Placement().Put("model.layers.{0..1}.*", "cpu").Put("model.embed_tokens.*", torch.CPU),
            },
            null,
            TestContext.Current.CancellationToken);

        Assert.All(model.Weights.Entries, entry => Assert.Equal(DeviceType.CPU, entry.Device.type));
        Assert.Equal(DeviceType.CPU, model.Model.Layers[1].Mlp.Weight.device_type);
        Assert.Equal(TinyModel.Entries[3].Data, TensorBytes.Of(model.Model.Layers[1].Mlp.Weight));
        Assert.Equal(8f, model.Model.EmbedTokens.Weight[3, 1].item<float>());
    }

    [Theory]
    [InlineData(
        "model.layer.{0..15}.*",
        "Placement: the pattern \"model.layer.{0..15}.*\" matches none of the 6 names; one starts with \"model.layers.0\".")]
    [InlineData("x", "Placement: the pattern \"x\" matches none of the 6 names.")]
    public async Task A_pattern_that_matches_nothing_is_an_error_with_a_similar_name(string pattern, string message)
    {
        WeightsException error = await Assert.ThrowsAsync<WeightsException>(() => LoadAsync(new Placement().Put(pattern, "cpu")));

        Assert.Equal(message, error.Message);
    }

    [Fact]
    public async Task A_placement_on_an_unsupported_device_is_refused_before_the_file_is_opened()
    {
        WeightsException error = await Assert.ThrowsAsync<WeightsException>(() => WeightLoader.Default.LoadTensorsAsync(
            "/nowhere/m.safetensors",
            new() { Placement = new Placement().Put("a.*", "xla:3") },
            cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("xla:3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_invalid_device_pattern_or_budget_is_refused_by_the_placement()
    {
        Assert.Contains("gpu", Assert.Throws<ArgumentException>(() => new Placement().Put("a", "gpu")).Message, StringComparison.Ordinal);
        Assert.Contains("a.{", Assert.Throws<ArgumentException>(() => new Placement().Put("a.{", "cpu")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Placement().Fill("cpu", -1));
    }

    [Fact]
    public void A_placement_is_immutable()
    {
        var none = new Placement();
        Placement one = none.Put("a", "cpu");

        Assert.Empty(none.Rules);
        Assert.Single(one.Rules);
        Assert.Equal(2, one.Fill("cuda:1", 5).Rules.Count);
    }

    private async Task LoadAsync(Placement placement)
    {
        string path = TestFile.Write(_folder["m.safetensors"], TinyModel.Entries, TinyModel.Tied);
        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(
            path, new() { Placement = placement }, cancellationToken: TestContext.Current.CancellationToken);
    }
}
