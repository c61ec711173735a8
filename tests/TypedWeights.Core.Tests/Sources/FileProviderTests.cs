using TypedWeights.Checkpoints;
using TypedWeights.Opening;
using TypedWeights.Sources;
using TypedWeights.Sources.File;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tests.Sources;

public sealed class FileProviderTests : IDisposable
{
    private const string Index = "model.safetensors.index.json";

    private readonly TempFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string[], string?> Folders => new()
    {
        { ["model.safetensors"], "model.safetensors" },
        { ["any.safetensors", "config.json", "pytorch_model.bin"], "any.safetensors" },
        { [Index, "a.safetensors", "b.safetensors"], Index },
        { ["diffusion_pytorch_model.safetensors.index.json", "x.safetensors"], "diffusion_pytorch_model.safetensors.index.json" },
        { [Index, "other.safetensors.index.json"], Index },
        { ["a.safetensors", "model.safetensors"], "model.safetensors" },
        { ["a.safetensors", "._a.safetensors", ".b.safetensors"], "a.safetensors" },
        { ["WEIGHTS.SAFETENSORS"], "WEIGHTS.SAFETENSORS" },
        { ["a.safetensors", "b.safetensors"], null },
        { ["a.safetensors.index.json", "b.safetensors.index.json", "model.safetensors"], null },
        { ["config.json"], null },
        { [], null },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Folders))]
    public async Task A_folder_resolves_to_its_only_model_or_fails_with_the_candidates(string[] names, string? entry)
    {
        foreach (string name in names)
        {
            await File.WriteAllTextAsync(_folder[name], "", Token);
        }

        if (entry is not null)
        {
            Assert.Equal(entry, (await LocateAsync(_folder.Path)).EntryName);
            return;
        }

        var error = await Assert.ThrowsAsync<WeightSourceException>(() => LocateAsync(_folder.Path));
        Assert.StartsWith(_folder.Path + ": ", error.Message, StringComparison.Ordinal);
        string[] candidates = [.. names.Where(static name => name != "config.json" && name != "model.safetensors")];
        Assert.All(candidates, name => Assert.Contains(name, error.Message, StringComparison.Ordinal));
        Assert.Equal(candidates.Length == 0, error.IsNotFound);
    }

    [Fact]
    public async Task A_subfolder_with_the_name_of_a_checkpoint_is_neither_opened_nor_searched()
    {
        Directory.CreateDirectory(_folder["sub.safetensors"]);
        await File.WriteAllTextAsync(_folder["sub.safetensors/model.safetensors"], "", Token);
        Assert.True((await Assert.ThrowsAsync<WeightSourceException>(() => LocateAsync(_folder.Path))).IsNotFound);
    }

    [Fact]
    public async Task A_relative_path_is_looked_up_in_the_current_folder_and_then_beside_the_program()
    {
        // The corpus lies beside the tests' program and not in the folder they are started from.
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "Corpus")));
        const string Name = "Corpus/valid/single_f32.safetensors";
        IWeightLocation found = await LocateAsync(Name);
        await using IWeightSource source = await found.OpenAsync(found.EntryName, Token);
        Assert.EndsWith(Name, source.Display, StringComparison.Ordinal);

        string elsewhere = _folder["base"];
        Directory.CreateDirectory(elsewhere);
        TestFile.Write(Path.Combine(elsewhere, "weights", "only-there.safetensors"), [TestFile.F32("a", [1], 1)]);
        IWeightLocation there = await LocateAsync("weights/only-there.safetensors", elsewhere);
        Assert.Equal("only-there.safetensors", there.EntryName);

        var error = await Assert.ThrowsAsync<WeightSourceException>(() => LocateAsync("weights/nowhere.safetensors", elsewhere));
        Assert.True(error.IsNotFound);
        Assert.Contains(Environment.CurrentDirectory, error.Message, StringComparison.Ordinal);
        Assert.Contains(elsewhere, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_URI_is_decoded()
    {
        string path = TestFile.Write(_folder["a b#1.safetensors"], [TestFile.F32("a", [1], 1)]);
        string uri = new Uri(path).AbsoluteUri;
        Assert.Contains("a%20b%231", uri, StringComparison.Ordinal);
        foreach (string start in new[] { "file:///", "file://localhost/", "file:/" })
        {
            IWeightLocation location = await LocateAsync(start + uri["file:///".Length..]);
            Assert.Equal("a b#1.safetensors", location.EntryName);
            await using IWeightSource source = await location.OpenAsync(location.EntryName, Token);
            Assert.Equal(path, source.Display);
        }

        Assert.Equal("a b#1.safetensors", (await LocateAsync(new Uri(_folder.Path).AbsoluteUri + "/")).EntryName);
        if (!OperatingSystem.IsWindows())
        {
            var error = await Assert.ThrowsAsync<WeightSourceException>(() => LocateAsync("file://server/share/m.safetensors"));
            Assert.Contains("three slashes", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Files_are_displayed_below_the_path_that_the_user_gave()
    {
        var shards = new Dictionary<string, TestFile.Entry[]> { ["sub/s.safetensors"] = [TestFile.F32("a", [1], 1)] };
        TestFile.WriteSharded(_folder.Path, shards);
        string shown = _folder.Path;
        foreach (string asked in new[] { shown, shown + "/", _folder[Index] })
        {
            IWeightLocation location = await LocateAsync(asked);
            await using IWeightSource index = await location.OpenAsync(Index, Token);
            await using IWeightSource shard = await location.OpenAsync("sub/s.safetensors", Token);
            Assert.Equal((shown + "/" + Index, shown + "/sub/s.safetensors"), (index.Display, shard.Display));
        }
    }

    [Fact]
    public async Task Links_out_of_the_folder_are_followed_so_that_the_Hugging_Face_cache_can_be_read()
    {
        TestFile.Write(_folder["blobs/abc"], [TestFile.F32("a", [1], 1)]);
        Directory.CreateDirectory(_folder["snapshots/rev"]);
        File.CreateSymbolicLink(_folder["snapshots/rev/model.safetensors"], Path.Combine("..", "..", "blobs", "abc"));

        IWeightLocation location = await LocateAsync(_folder["snapshots/rev"]);
        await using IWeightSource source = await location.OpenAsync(location.EntryName, Token);
        Assert.Equal("a", (await source.ReadHeaderAsync(Token)).Tensors.Single().Name);
    }

    [Fact]
    public async Task A_registry_uses_the_provider_of_the_scheme_and_names_the_package_of_a_missing_provider()
    {
        await using var registry = new SourceRegistry(new TransferContext(), [new FileProvider()]);
        Assert.Equal(["file"], registry.Schemes);
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("a", [1], 1)]);
        Assert.Equal("m.safetensors", (await registry.LocateAsync(WeightUri.Parse(path), Token)).EntryName);

        foreach ((string uri, string says) in new[]
        {
            ("s3://b/m", "TypedWeights.S3"), ("gs://b/m", "TypedWeights.Gcs"), ("az://a/c/m", "TypedWeights.AzureBlobs"),
            ("ftp://h/m", "\"ftp\""),
        })
        {
            var error = await Assert.ThrowsAsync<WeightSourceException>(
                async () => await registry.LocateAsync(WeightUri.Parse(uri), Token));
            Assert.Contains(says, error.Message, StringComparison.Ordinal);
            Assert.EndsWith("Registered here: file.", error.Message, StringComparison.Ordinal);
        }

        var twins = Assert.Throws<ArgumentException>(
            static () => new SourceRegistry(new TransferContext(), [new FileProvider(), new FileProvider()]));
        Assert.Contains("file://", twins.Message, StringComparison.Ordinal);
    }

    private static async Task<IWeightLocation> LocateAsync(string uri, params string[] baseDirectories)
    {
        await using var provider = new FileProvider(baseDirectories);
        return await provider.LocateAsync(WeightUri.Parse(uri), Token);
    }
}
