using TorchSharp;
using TypedWeights.Tests.Loading;
using static TorchSharp.torch;

namespace TypedWeights.Tests.Saving;

public sealed class SaveTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_loaded_file_in_canonical_order_is_saved_byte_for_byte()
    {
        // Widest dtype first, then by name, padded to eight bytes: the reference writer's order.
        TestFile.Entry[] entries =
        [
            .. DTypes.All.Reverse().Select(dtype => TestFile.Noise("t_" + dtype.Name(), dtype.Name(), dtype.BitSize(), 2, 8)),
        ];
        string first = TestFile.Write(_folder["first.safetensors"], entries, new Dictionary<string, string> { ["format"] = "pt" });
        using WeightSet loaded = await LoadAsync(first);
        await loaded.SaveAsync(_folder["second.safetensors"], TestContext.Current.CancellationToken);
        using WeightSet again = await LoadAsync(_folder["second.safetensors"]);
        await again.SaveAsync(_folder["third.safetensors"], TestContext.Current.CancellationToken);

        Assert.Equal("pt", again.Metadata["format"]);
        Assert.Equal(loaded.Entries.Select(Describe), again.Entries.Select(Describe));
        Assert.All(again.Keys, name => Assert.Equal(TensorBytes.Of(loaded[name]), TensorBytes.Of(again[name])));
        Assert.Equal(File.ReadAllBytes(_folder["second.safetensors"]), File.ReadAllBytes(_folder["third.safetensors"]));
    }

    [Fact]
    public async Task Non_contiguous_and_conjugated_tensors_are_written_as_their_elements()
    {
        using Tensor matrix = arange(6, dtype: float32).reshape(2, 3);
        using Tensor transposed = matrix.t();
        using Tensor complex = torch.complex(ones(2), ones(2) * 2);
        using Tensor conjugated = complex.conj();
        await SafeTensors.SaveAsync(
            _folder["strides.safetensors"],
            [KeyValuePair.Create("t", transposed), KeyValuePair.Create("c", conjugated)],
            cancellationToken: TestContext.Current.CancellationToken);

        using WeightSet loaded = await LoadAsync(_folder["strides.safetensors"]);

        Assert.Equal([3, 2], loaded["t"].shape);
        Assert.Equal([0f, 3f, 1f, 4f, 2f, 5f], loaded["t"].data<float>().ToArray());
        Assert.Equal(-2f, loaded["c"].imag.data<float>().ToArray()[0]);
    }

    [Fact]
    public async Task A_duplicate_name_or_a_null_tensor_is_refused_by_name()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        using Tensor weight = ones(2);
        KeyValuePair<string, Tensor>[] same = [KeyValuePair.Create("a", weight), KeyValuePair.Create("a", weight)];
        var twins = await Assert.ThrowsAsync<ArgumentException>(
            () => SafeTensors.SaveAsync(_folder["x.safetensors"], same, cancellationToken: token));
        Assert.Contains("\"a\"", twins.Message, StringComparison.Ordinal);
        var nothing = await Assert.ThrowsAsync<ArgumentException>(
            () => SafeTensors.SaveAsync(_folder["x.safetensors"], [KeyValuePair.Create("a", (Tensor)null!)], cancellationToken: token));
        Assert.Contains("\"a\" is null", nothing.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["x.safetensors"]));
    }

    public static TheoryData<string, string?, string, string?> Unsaveable => new()
    {
        { "tensors", null, "a", "b" },
        { "tensors", "\ud800", "a", "b" },
        { "tensors", "__metadata__", "a", "b" },
        { "metadata", "a", "\ud800", "b" },
        { "metadata", "a", "b", "\ud800" },
        { "metadata", "a", "b", null },
    };

    [Theory]
    [MemberData(nameof(Unsaveable), DisableDiscoveryEnumeration = true)]
    public async Task An_invalid_name_tensor_or_metadata_is_an_ArgumentException_of_its_parameter(
        string parameter, string? name, string key, string? text)
    {
        using Tensor weight = ones(2);
        using Tensor gone = ones(2);
        gone.Dispose();
        CancellationToken token = TestContext.Current.CancellationToken;

        var error = await Assert.ThrowsAsync<ArgumentException>(() => SafeTensors.SaveAsync(
            _folder["x.safetensors"], [KeyValuePair.Create(name!, weight)], new Dictionary<string, string> { [key] = text! }, token));
        var disposed = await Assert.ThrowsAsync<ArgumentException>(
            () => SafeTensors.SaveAsync(_folder["x.safetensors"], [KeyValuePair.Create("gone", gone)], cancellationToken: token));

        Assert.Equal((parameter, "tensors"), (error.ParamName, disposed.ParamName));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Every_use_of_a_disposed_set_is_an_error_that_names_the_loaded_file()
    {
        WeightSet set = await LoadAsync(TestFile.Write(_folder["named.safetensors"], [TestFile.F32("a", [1], 1)]));
        set.Dispose();

        Exception?[] errors =
        [
            await Record.ExceptionAsync(() => set.SaveAsync(_folder["x.safetensors"], TestContext.Current.CancellationToken)),
            await Record.ExceptionAsync(() => set.WhenReadyAsync(TestContext.Current.CancellationToken)),
            Record.Exception(() => set.Count),
            Record.Exception(() => set.Keys),
            Record.Exception(() => set.Entries),
            Record.Exception(() => set.GetEnumerator()),
            Record.Exception(() => set.TryGetValue("a", out _)),
            Record.Exception(() => set["a"]),
        ];

        Assert.All(errors, error =>
            Assert.Contains("named.safetensors", Assert.IsType<ObjectDisposedException>(error).Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_tensor_under_two_names_is_written_once_and_recorded_as_tied()
    {
        using Tensor weight = arange(4, dtype: float32);
        using Tensor alias = weight.alias();
        await SafeTensors.SaveAsync(
            _folder["tied.safetensors"],
            [KeyValuePair.Create("model.embed_tokens.weight", alias), KeyValuePair.Create("lm_head.weight", weight)],
            cancellationToken: TestContext.Current.CancellationToken);

        using WeightSet loaded = await LoadAsync(_folder["tied.safetensors"]);

        Assert.Equal("lm_head.weight", loaded.Metadata["model.embed_tokens.weight"]);
        Assert.Equal(["lm_head.weight", "model.embed_tokens.weight"], loaded.Keys.Order());
        Assert.True(new FileInfo(_folder["tied.safetensors"]).Length < 8 + 200 + 16);

        // Saving what was loaded ties again, the same way.
        await loaded.SaveAsync(_folder["again.safetensors"], TestContext.Current.CancellationToken);
        Assert.Equal(File.ReadAllBytes(_folder["tied.safetensors"]), File.ReadAllBytes(_folder["again.safetensors"]));
    }

    [Fact]
    public async Task Tied_names_without_a_dot_survive_saving_beside_metadata_that_looks_like_ties()
    {
        using Tensor weight = arange(4, dtype: float32);
        using Tensor alias = weight.alias();
        using Tensor other = arange(2, dtype: float32);
        await SafeTensors.SaveAsync(
            _folder["tied.safetensors"],
            [KeyValuePair.Create("embed", alias), KeyValuePair.Create("head", weight), KeyValuePair.Create("pt", other)],
            new Dictionary<string, string> { ["format"] = "pt", ["tie:format"] = "head" },
            TestContext.Current.CancellationToken);

        using WeightSet loaded = await LoadAsync(_folder["tied.safetensors"]);
        Assert.Equal(["embed", "head", "pt"], loaded.Keys.Order());

        // Saved once more, and then without the tie: nothing is left of it.
        await loaded.SaveAsync(_folder["again.safetensors"], TestContext.Current.CancellationToken);
        Assert.Equal(File.ReadAllBytes(_folder["tied.safetensors"]), File.ReadAllBytes(_folder["again.safetensors"]));
        using Tensor copy = weight.clone();
        await SafeTensors.SaveAsync(
            _folder["untied.safetensors"],
            [KeyValuePair.Create("embed", copy), KeyValuePair.Create("head", weight)],
            loaded.Metadata,
            TestContext.Current.CancellationToken);
        using WeightSet untied = await LoadAsync(_folder["untied.safetensors"]);
        Assert.DoesNotContain("tie:head", untied.Metadata.Keys);
        Assert.DoesNotContain("tie:embed", untied.Metadata.Keys);
    }

    [Fact]
    public async Task Saving_a_loaded_tie_keeps_the_name_under_which_the_tensor_was_stored()
    {
        string path = TestFile.Write(
            _folder["kept.safetensors"], [TestFile.F32("z.weight", [1], 1)], new Dictionary<string, string> { ["a.weight"] = "z.weight" });
        using WeightSet loaded = await LoadAsync(path);

        await loaded.SaveAsync(_folder["saved.safetensors"], TestContext.Current.CancellationToken);

        using WeightSet saved = await LoadAsync(_folder["saved.safetensors"]);
        Assert.Equal("z.weight", Assert.Single(saved.Metadata, pair => pair.Key == "a.weight").Value);
    }

    [Fact]
    public async Task Tensors_that_overlap_without_being_the_same_are_refused_by_name()
    {
        using Tensor whole = arange(8, dtype: float32);
        using Tensor part = whole[..4];

        WeightsException error = await Assert.ThrowsAsync<WeightsException>(() => SafeTensors.SaveAsync(
            _folder["overlap.safetensors"],
            [KeyValuePair.Create("whole", whole), KeyValuePair.Create("part", part)],
            cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("\"whole\" and \"part\" share memory", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Neighbouring_views_of_one_storage_are_separate_tensors()
    {
        using Tensor whole = arange(8, dtype: float32);
        using Tensor left = whole[..4];
        using Tensor right = whole[4..];
        await SafeTensors.SaveAsync(
            _folder["views.safetensors"],
            [KeyValuePair.Create("left", left), KeyValuePair.Create("right", right)],
            cancellationToken: TestContext.Current.CancellationToken);

        using WeightSet loaded = await LoadAsync(_folder["views.safetensors"]);

        Assert.Equal([4f, 5f, 6f, 7f], loaded["right"].data<float>().ToArray());
    }

    [Fact]
    public async Task A_dtype_that_the_format_lacks_is_refused_by_name()
    {
        using Tensor complex = zeros(2, dtype: complex128);

        WeightsException error = await Assert.ThrowsAsync<WeightsException>(() => SafeTensors.SaveAsync(
            _folder["c128.safetensors"], [KeyValuePair.Create("c", complex)], cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("\"c\"", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task A_cancelled_save_leaves_the_old_file_unchanged()
    {
        File.WriteAllText(_folder["model.safetensors"], "old");
        using Tensor large = zeros(50_000_000, dtype: uint8);
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SafeTensors.SaveAsync(
            _folder["model.safetensors"], [KeyValuePair.Create("large", large)], cancellationToken: cancel.Token));

        Assert.Equal([_folder["model.safetensors"]], Directory.EnumerateFileSystemEntries(_folder.Path));
        Assert.Equal("old", File.ReadAllText(_folder["model.safetensors"]));
    }

    [Fact]
    public async Task Saving_leaves_no_native_tensor_behind()
    {
        using Tensor matrix = arange(6, dtype: float32).reshape(2, 3);
        using Tensor transposed = matrix.t();
        long before = NativeTensors.Count();

        await SafeTensors.SaveAsync(
            _folder["count.safetensors"], [KeyValuePair.Create("t", transposed)], cancellationToken: TestContext.Current.CancellationToken);

        NativeTensors.AssertNoneSince(before);
    }

    private static Task<WeightSet> LoadAsync(string path) =>
        WeightLoader.Default.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);

    private static string Describe(WeightEntry entry) => $"{entry.Name} {entry.DType.Name()} {entry.Shape}";
}
