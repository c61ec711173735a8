using System.Globalization;
using TorchSharp;

namespace TypedWeights.Tests.Loading;

public sealed class FilterTests : IAsyncLifetime
{
    private static readonly Dictionary<string, string> Tied = new() { ["embed"] = "head", ["tie:embed"] = "head" };

    private readonly TempFolder _folder = new();
    private FileServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await FileServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    [InlineData(TensorStorage.Mapped)]
    public async Task A_filtered_load_contains_exactly_the_selected_tensors_with_their_bytes(TensorStorage storage)
    {
        TestFile.Entry[] entries = [.. Enumerable.Range(0, 40).Select(i => TestFile.Noise($"t.{i}", "U8", 8, i * 97))];
        string path = TestFile.Write(_folder["m.safetensors"], entries);

        using WeightSet weights = await LoadAsync(path, name => name.EndsWith('3') || name == "t.0", new() { Storage = storage });

        Assert.Equal(["t.0", "t.3", "t.13", "t.23", "t.33"], weights.Keys);
        Assert.All(weights, pair => Assert.Equal(entries.Single(entry => entry.Name == pair.Key).Data, TensorBytes.Of(pair.Value)));
    }

    [Fact]
    public async Task A_filtered_load_requests_only_its_tensors_and_small_gaps_between_them()
    {
        const int Large = 3 << 20;
        TestFile.Entry[] entries =
        [
            TestFile.Noise("a.1", "U8", 8, 1000), TestFile.Noise("small", "U8", 8, 500), TestFile.Noise("a.2", "U8", 8, 2000),
            TestFile.Noise("large", "U8", 8, Large), TestFile.Noise("a.3", "U8", 8, 3000),
        ];
        _server.Files["/m.safetensors"] = TestFile.Bytes(entries);
        long data = _server.Files["/m.safetensors"].Length - entries.Sum(entry => entry.Data.LongLength);
        var progress = new ProgressLog();

        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(
            $"{_server.Address}/m.safetensors",
            new() { Filter = name => name.StartsWith('a') },
            progress,
            TestContext.Current.CancellationToken);

        Assert.All(weights, pair => Assert.Equal(entries.Single(entry => entry.Name == pair.Key).Data, TensorBytes.Of(pair.Value)));
        Assert.Equal(
            [$"bytes={data}-{data + 3499}", $"bytes={data + 3500 + Large}-{data + 6499 + Large}"],
            _server.Requests.Select(request => request.Range!).Where(range => First(range) >= data).OrderBy(First));
        LoadProgress last = progress.Reports.Last();
        Assert.Equal((1, 3, 3, 6000, 6000), (last.FilesTotal, last.Tensors, last.TensorsTotal, last.Bytes, last.BytesTotal));

        static long First(string range) =>
            long.Parse(range["bytes=".Length..range.IndexOf('-', StringComparison.Ordinal)], CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task A_filtered_load_does_not_read_a_shard_without_selected_tensors()
    {
        string index = TestFile.WriteSharded(_folder.Path, new Dictionary<string, TestFile.Entry[]>
        {
            ["1.safetensors"] = [TestFile.F32("a", [1], 1)],
            ["2.safetensors"] = [TestFile.F32("b", [1], 2)],
            ["3.safetensors"] = [TestFile.F32("c", [1], 3)],
        });
        var progress = new ProgressLog();

        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(
            index, new() { Filter = name => name is "c" or "a" }, progress, TestContext.Current.CancellationToken);

        Assert.Equal((1f, 3f), (weights["a"].item<float>(), weights["c"].item<float>()));
        Assert.Equal(2, progress.Reports.Last().FilesTotal);
    }

    [Fact]
    public async Task A_filter_that_selects_a_tied_name_loads_its_tensor_under_that_name()
    {
        string path = TestFile.Write(_folder["tied.safetensors"], [TestFile.F32("head", [2], 1, 2), TestFile.F32("x", [1], 3)], Tied);

        using WeightSet one = await LoadAsync(path, name => name == "embed");
        using WeightSet both = await LoadAsync(path, name => name != "x");
        await one.SaveAsync(_folder["again.safetensors"], TestContext.Current.CancellationToken);
        using WeightSet again = await LoadAsync(_folder["again.safetensors"], _ => true);

        Assert.Equal(["embed"], one.Keys);
        Assert.Equal(3f, one["embed"].sum().item<float>());
        Assert.Equal(["head", "embed"], both.Keys);
        both["head"].fill_(5);
        Assert.Equal(10f, both["embed"].sum().item<float>());
        Assert.Equal(["embed"], again.Keys);
    }

    [Fact]
    public async Task A_filter_that_selects_nothing_is_an_error_that_shows_some_names()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [.. "abcd".Select(c => TestFile.F32($"model.{c}", [1], 1))], Tied);
        string empty = TestFile.Write(_folder["empty.safetensors"], []);
        long before = NativeTensors.Count();

        WeightsException error = await Assert.ThrowsAsync<WeightsException>(() => LoadAsync(path, _ => false));
        using WeightSet none = await LoadAsync(empty, _ => false);

        Assert.Equal(
            $"{path}: the filter matches none of the 4 tensors; they are named \"model.a\", \"model.b\", \"model.c\" and so on.", error.Message);
        Assert.Empty(none);
        NativeTensors.AssertNoneSince(before);
    }

    [Fact]
    public async Task A_filter_that_skips_the_only_tensor_is_an_error_that_shows_its_name()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("model.a", [1], 1)]);

        WeightsException error = await Assert.ThrowsAsync<WeightsException>(() => LoadAsync(path, _ => false));

        Assert.Equal($"{path}: the filter matches no tensor: the only one is named \"model.a\".", error.Message);
    }

    [Fact]
    public async Task An_exception_of_a_filter_reaches_the_caller_and_frees_everything()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("a", [1], 1)]);
        long before = NativeTensors.Count();

        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => LoadAsync(path, _ => throw new InvalidTimeZoneException()));

        NativeTensors.AssertNoneSince(before);
        File.Delete(path);
    }

    private static Task<WeightSet> LoadAsync(string uri, Func<string, bool> filter, TensorLoadOptions? options = null) =>
        WeightLoader.Default.LoadTensorsAsync(
            uri, (options ?? new()) with { Filter = filter }, cancellationToken: TestContext.Current.CancellationToken);
}
