using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TypedWeights.Tests.Loading;

/// <summary>A tensor can be emptied without the set knowing; whoever meets it afterwards learns which one, and what to do instead.</summary>
public sealed class EmptiedTensorTests : IDisposable
{
    private const string Name = "model.norm.weight";

    private readonly TempFolder _folder = new();

    public static TheoryData<string, Action<Tensor>> Ways => new()
    {
        { "a parameter takes its handle", static tensor => _ = new Parameter(tensor, requires_grad: false) },
        { "somebody disposes it", static tensor => tensor.Dispose() },
        { "a dispose scope ends", InScope },
        { "native code takes its handle", static tensor => _ = tensor.DecoupleFromNativeHandle() },
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Every_use_of_an_emptied_tensor_is_an_error_that_names_it_and_says_what_to_do(string way, Action<Tensor> empty)
    {
        using TinyModel model = await LoadAsync();
        empty(model.Model.Norm.Weight);

        (string Use, Func<Task> Act)[] uses =
        [
            ("the property", () => Done(model.Model.Norm.Weight)),
            ("the name", () => Done(model.Weights[Name])),
            ("the entry", () => Done(model.Weights.Entry(Name).Tensor)),
            ("TryGetValue", () => Done(model.Weights.TryGetValue(Name, out _))),
            ("the values", () => Done(model.Weights.Values.ToList())),
            ("the pairs", () => Done(model.Weights.ToList())),
            ("Detach", () => Done(model.Weights.Detach(Name))),
            ("saving", () => model.SaveAsync(_folder["out.safetensors"], Token)),
        ];
        foreach ((string use, Func<Task> act) in uses)
        {
            var error = await Assert.ThrowsAsync<InvalidOperationException>(act);
            Assert.True(error.Message.Contains($"\"{Name}\"", StringComparison.Ordinal), $"{way}, {use}: {error.Message}");
            Assert.True(error.Message.Contains("Detach(", StringComparison.Ordinal), $"{way}, {use}: {error.Message}");
            Assert.True(error.Message.Contains("alias()", StringComparison.Ordinal), $"{way}, {use}: {error.Message}");
        }

        Assert.False(File.Exists(_folder["out.safetensors"]));
        Assert.Equal([4, 2], model.LmHead.Weight.shape);
    }

    [Fact]
    public async Task A_parameter_outlives_the_model_whose_handle_it_took()
    {
        TinyModel model = await LoadAsync();
        using var parameter = new Parameter(model.Model.Norm.Weight, requires_grad: false);

        model.Dispose();
        model.Dispose();

        Assert.Equal(23f, parameter.sum().item<float>());
        Assert.Throws<ObjectDisposedException>(() => model.Model.Norm.Weight);
    }

    [Fact]
    public async Task A_parameter_made_of_an_alias_or_a_detached_tensor_empties_no_tensor_of_the_set()
    {
        using TinyModel model = await LoadAsync();

        using var ofAlias = new Parameter(model.LmHead.Weight.alias());
        using var ofDetached = new Parameter(model.Detach(TinyModel.Paths.Model.Norm.Weight));

        Assert.Equal([4, 2], model.LmHead.Weight.shape);
        await model.SaveAsync(_folder["out.safetensors"], Token);
        using WeightSet saved = await WeightLoader.Default.LoadTensorsAsync(_folder["out.safetensors"], cancellationToken: Token);
        Assert.False(saved.ContainsKey(Name));
    }

    [Fact]
    public async Task A_tied_name_of_an_emptied_tensor_still_returns_the_tensor()
    {
        using TinyModel model = await LoadAsync();
        model.LmHead.Weight.Dispose();

        Assert.Equal([4, 2], model.Model.EmbedTokens.Weight.shape);
    }

    [Fact]
    public async Task Saving_an_emptied_tensor_is_an_error_that_names_it_and_writes_no_file()
    {
        Tensor disposed = ones(2);
        disposed.Dispose();
        Tensor taken = ones(2);
        using var parameter = new Parameter(taken);
        foreach (Tensor empty in (Tensor[])[disposed, taken])
        {
            var error = await Assert.ThrowsAsync<ArgumentException>(() => SafeTensors.SaveAsync(
                _folder["out.safetensors"],
                [KeyValuePair.Create("whole", (Tensor)parameter), KeyValuePair.Create("block.bias", empty)],
                cancellationToken: Token));
            Assert.Contains("\"block.bias\"", error.Message, StringComparison.Ordinal);
            Assert.Contains("alias()", error.Message, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(_folder["out.safetensors"]));
    }

    [Fact]
    public async Task A_metadata_value_of_null_is_refused_by_its_key()
    {
        using Tensor weight = ones(2);
        var metadata = new Dictionary<string, string> { ["format"] = "pt", ["author"] = null! };

        var error = await Assert.ThrowsAsync<ArgumentException>(
            () => SafeTensors.SaveAsync(_folder["out.safetensors"], [KeyValuePair.Create("w", weight)], metadata, Token));

        Assert.Contains("\"author\"", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["out.safetensors"]));
    }

    private static void InScope(Tensor tensor)
    {
        using DisposeScope scope = NewDisposeScope();
        scope.Attach(tensor);
    }

    private static Task Done(object? used) => Task.FromException(new Xunit.Sdk.XunitException($"this gave {used}"));

    private async Task<TinyModel> LoadAsync()
    {
        string path = TestFile.Write(_folder["m.safetensors"], TinyModel.Entries, TinyModel.Tied);
        return await WeightLoader.Default.LoadAsync<TinyModel>(path, cancellationToken: Token);
    }
}
