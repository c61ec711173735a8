using System.Text.RegularExpressions;
using TypedWeights.Tests.Loading;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Hub;

public sealed class HubTests : IDisposable
{
    private static readonly TransferOptions Quick = new()
    {
        MinConnections = 4,
        MaxConnections = 4,
        PartSize = 512 << 10,
        Attempts = 3,
        RetryDelay = TimeSpan.FromMilliseconds(30),
    };

    private static readonly Dictionary<string, byte[]> Files = new()
    {
        [NoiseFile.Name] = NoiseFile.Bytes,
        [$"{HubFixture.NextCommit}-{NoiseFile.Name}"] = NoiseFile.OtherBytes,
    };

    private readonly TempFolder _home = new();
    private readonly Variables _variables;

    // The machine's own login and cache stay out of it.
    public HubTests() => _variables = new Variables(
        ("HF_HOME", _home.Path), ("HF_TOKEN", null), ("HUGGING_FACE_HUB_TOKEN", null), ("HF_TOKEN_PATH", null), ("HF_ENDPOINT", null),
        ("HF_HUB_OFFLINE", null), ("TRANSFORMERS_OFFLINE", null), ("HF_HUB_CACHE", null), ("HUGGINGFACE_HUB_CACHE", null));

    public void Dispose()
    {
        _variables.Dispose();
        _home.Dispose();
    }

    [Theory]
    [InlineData("""{"sha": "0123456789abcdef0123456789abcdef01234567", "siblings": [{"rfilename": null}]}""")]
    [InlineData("""{"sha": null, "siblings": []}""")]
    [InlineData("""{"sha": "0123456789abcdef0123456789abcdef01234567"}""")]
    [InlineData("<html>")]
    public async Task A_response_that_the_hub_would_not_send_is_an_error_that_says_so(string answer)
    {
        await using FileServer server = await FileServer.StartAsync();
        server.Files["/api/models/org/model/revision/main"] = System.Text.Encoding.UTF8.GetBytes(answer);
        await using WeightLoader loader = new WeightLoaderBuilder().UseHuggingFace(new() { Endpoint = new Uri(server.Address) }).Build();

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync("hf://org/model", cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("does not respond as the hub does", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hf_T0kenT0kenT0ken.safetensors")]
    [InlineData("sub/HF-t0kent0kent0ken.safetensors")]
    [InlineData("nek0Tnek0Tnek0T_fh.safetensors")]
    public async Task A_file_list_or_index_that_contains_the_token_is_refused_without_showing_it(string name)
    {
        await using FileServer server = await FileServer.StartAsync();
        await using WeightLoader loader = new WeightLoaderBuilder()
            .UseHuggingFace(new() { Endpoint = new Uri(server.Address), Token = "hf_T0kenT0kenT0ken" }).Build();
        string listing = $$"""{"sha": "{{HubFixture.Commit}}", "siblings": [{"rfilename": "model.safetensors"}, {"rfilename": "NAME"}]}""";
        const string Index = "model.safetensors.index.json";
        server.Files[$"/org/model/resolve/{HubFixture.Commit}/{Index}"] =
            System.Text.Encoding.UTF8.GetBytes($$"""{"weight_map": {"a": "{{name}}"} }""");

        server.Files["/api/models/org/model/revision/main"] =
            System.Text.Encoding.UTF8.GetBytes(listing.Replace("NAME", name, StringComparison.Ordinal));
        WeightsException listed = await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync("hf://org/model", cancellationToken: TestContext.Current.CancellationToken));
        WeightsException indexed = await Assert.ThrowsAsync<SafeTensorsFormatException>(
            () => loader.LoadTensorsAsync(
                $"hf://org/model@{HubFixture.Commit}/{Index}", cancellationToken: TestContext.Current.CancellationToken));

        Assert.All((WeightsException[])[listed, indexed], error =>
        {
            Assert.Contains("do not trust the server.", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("t0ken", error.ToString(), StringComparison.OrdinalIgnoreCase);
        });
    }

    [Theory]
    [InlineData("hf://org/model")]
    [InlineData("hf://org/model/")]
    [InlineData("hf://org/model@main/model.safetensors")]
    [InlineData("hf://org/model@v1")]
    [InlineData("hf://org/model@0123456789abcdef0123456789abcdef01234567/model.safetensors")]
    [InlineData("hf://old@main")]
    public async Task A_model_of_the_hub_is_found_and_loaded_at_its_commit(string uri)
    {
        await using HubFixture hub = await HubFixture.StartAsync(Files);
        using WeightSet weights = await LoadAsync(hub, uri);
        NoiseFile.AssertIn(weights);
        Assert.Equal(HubFixture.Commit, weights.Revision);
        Assert.InRange(hub.Requests.Count(request => request.Path.StartsWith("/api/", StringComparison.Ordinal)), uri.Contains("0123") ? 0 : 1, 1);
        Assert.All(hub.Cdn.Requests, request => Assert.Equal(206, request.Status));
    }

    [Fact]
    public async Task A_loaded_hub_model_is_in_the_cache_for_the_next_load()
    {
        await using HubFixture hub = await HubFixture.StartAsync(Files);
        hub.ValidToken = "hf_s3cret";
        await StoreCache.AssertKeepsAsync(
            builder => builder.UseHuggingFace(new() { Endpoint = hub.Address, Token = "hf_s3cret" }), "hf://org/private", "hf_s3cret");
    }

    [Fact]
    public async Task The_token_is_sent_to_the_hub_and_never_to_a_redirect_target()
    {
        using var token = new Variables(("HF_TOKEN", HubFixture.Token));
        await using HubFixture hub = await HubFixture.StartAsync(Files);
        using WeightSet weights = await LoadAsync(hub, "hf://org/private");
        NoiseFile.AssertIn(weights);
        Assert.All(hub.Requests, request => Assert.Equal("Bearer " + HubFixture.Token, request.Authorization));

        // nginx answers 418 to a request that brings one.
        Assert.All(hub.Cdn.Requests, request => Assert.Equal(206, request.Status));
    }

    [Fact]
    public async Task A_model_loads_over_TLS_from_a_hub_with_a_custom_authority()
    {
        using var authority = new LocalAuthority();
        await using HubFixture hub = await HubFixture.StartAsync(Files, authority);
        await using WeightLoader loader = new WeightLoaderBuilder()
            .UseTransferOptions(Quick)
            .UseHttp(new() { TrustedRoots = [authority.Root] })
            .UseHuggingFace(new() { Endpoint = hub.Address })
            .Build();
        using WeightSet weights = await loader.LoadTensorsAsync("hf://org/model", cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }

    [Fact]
    public async Task A_saved_token_is_read_again_when_the_hub_refuses_it_during_a_load()
    {
        await File.WriteAllTextAsync(_home["token"], "hf_old\n", TestContext.Current.CancellationToken);
        await using HubFixture hub = await HubFixture.StartAsync(Files);
        hub.ValidToken = "hf_old";

        // The link that brought the header has expired, and so has the token: the payload needs a new one of each.
        using WeightSet weights = await LoadAsync(hub, "hf://org/private", AfterHeader.Call(() =>
        {
            hub.ExpireLinks();
            hub.ValidToken = "hf_new";
            File.WriteAllText(_home["token"], "hf_new");
        }));
        NoiseFile.AssertIn(weights);
        Assert.Contains(hub.Requests, request => request.Authorization == "Bearer hf_new");
    }

    [Fact]
    public async Task A_signed_link_that_expires_during_a_load_is_renewed()
    {
        await using HubFixture hub = await HubFixture.StartAsync(Files);
        using WeightSet weights = await LoadAsync(hub, "hf://org/model", AfterHeader.Call(hub.ExpireLinks));
        NoiseFile.AssertIn(weights);
        Assert.Contains(hub.Cdn.Requests, request => request.Status == 403);
        Assert.Equal(2, hub.Requests.Count(request => request.Path.Contains("/resolve/", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("hf://org/absent", "there is no repository org/absent on the hub, or it is private", true)]
    [InlineData("hf://org/gated", "gated: accept its terms at http.*/org/gated and set HF_TOKEN", false)]
    [InlineData("hf://org/model@nosuch", "no revision nosuch", true)]
    [InlineData("hf://org/model/other.safetensors", "no such file at that revision", true)]
    [InlineData("hf://org/model/sub/", "no .safetensors file there", true)]
    [InlineData("hf://org/..", "does not name a repository", false)]
    public async Task The_error_tells_an_absent_repository_from_a_gated_one(string uri, string pattern, bool isNotFound)
    {
        await using HubFixture hub = await HubFixture.StartAsync(Files);
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync(hub, uri));
        Assert.True(Regex.IsMatch(error.Message, pattern), error.Message);
        Assert.Equal(isNotFound, error.IsNotFound);
    }

    [Fact]
    public async Task An_access_error_with_a_token_names_its_variable_and_never_the_token()
    {
        await using HubFixture hub = await HubFixture.StartAsync(Files);
        using (new Variables(("HF_TOKEN", HubFixture.Token)))
        {
            var gated = await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync(hub, "hf://org/gated"));
            Assert.Contains("the account of the token of HF_TOKEN has no access", gated.Message, StringComparison.Ordinal);
        }

        using var wrong = new Variables(("HF_TOKEN", "hf_wrong"));
        var refused = await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync(hub, "hf://org/model"));
        Assert.Contains("the token of HF_TOKEN is not valid", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hf_wrong", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_typed_load_reads_the_commit_of_the_snapshot_or_the_latest_on_request()
    {
        await using HubFixture hub = await HubFixture.StartAsync(Files);
        var options = new HuggingFaceOptions { Endpoint = hub.Address };
        var snapshot = await LiveModel.SnapshotAsync("hf://org/model", builder => builder.UseHuggingFace(options));
        Assert.Equal(HubFixture.Commit, snapshot.Revision);
        hub.Main = HubFixture.NextCommit;
        await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(Quick).UseHuggingFace(options).Build();
        using (LiveModel model = await loader.LoadAsync<LiveModel>(cancellationToken: TestContext.Current.CancellationToken))
        {
            NoiseFile.AssertIn(model.Weights);
            Assert.Equal(HubFixture.Commit, model.Weights.Revision);
        }

        using LiveModel latest = await loader.LoadAsync<LiveModel>(
            new() { Revision = WeightRevision.Latest }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(HubFixture.NextCommit, latest.Weights.Revision);
        Assert.Equal([.. NoiseFile.Entries[3].Data.Select(value => (byte)~value)], TensorBytes.Of(latest.Weights["layers.1.mask"]));
    }

    [Fact]
    public async Task A_sharded_repository_loads_as_one_model()
    {
        await using HubFixture hub = await HubFixture.StartAsync(NoiseShards.Files("model"));
        using WeightSet weights = await LoadAsync(hub, "hf://org/model");
        NoiseFile.AssertIn(weights);
    }

    [Theory]
    [InlineData("model-00002-of-00002.safetensors", true)]
    [InlineData("consolidated.safetensors", false)]
    public async Task A_single_file_in_the_hub_cache_does_not_count_as_the_whole_model(string downloaded, bool isShard)
    {
        await using HubFixture hub = await HubFixture.StartAsync(NoiseShards.Files("model"));
        string snapshot = _home[$"hub/models--org--model/snapshots/{HubFixture.Commit}"];
        Directory.CreateDirectory(snapshot);
        await File.WriteAllBytesAsync(
            Path.Combine(snapshot, downloaded), TestFile.Bytes(NoiseFile.Entries.Take(1)), TestContext.Current.CancellationToken);

        using (WeightSet weights = await LoadAsync(hub, "hf://org/model@" + HubFixture.Commit))
        {
            NoiseFile.AssertIn(weights);
        }

        // Nobody can be asked: a shard is not whole in any case.
        using var offline = new Variables(("HF_HUB_OFFLINE", "1"));
        if (isShard)
        {
            await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync(hub, "hf://org/model@" + HubFixture.Commit));
        }
    }

    [Fact]
    public async Task A_whole_model_in_the_cache_of_the_hub_tools_is_read_from_disk()
    {
        const string missing = "model 1.safetensors";
        IReadOnlyDictionary<string, byte[]> files = NoiseShards.Files("model");
        await using HubFixture hub = await HubFixture.StartAsync(files);
        string repository = _home["hub/models--org--model"];
        string snapshot = Path.Combine(repository, "snapshots", HubFixture.Commit);
        Directory.CreateDirectory(Path.Combine(repository, "blobs"));
        Directory.CreateDirectory(Path.Combine(repository, "refs"));
        Directory.CreateDirectory(snapshot);
        await File.WriteAllTextAsync(Path.Combine(repository, "refs", "main"), HubFixture.Commit, TestContext.Current.CancellationToken);
        foreach ((string name, byte[] bytes) in files.Where(file => file.Key != missing))
        {
            await Download(name, bytes);
        }

        // One shard is missing: it is fetched with the others, and offline that is an error.
        using (WeightSet weights = await LoadAsync(hub, "hf://org/model"))
        {
            NoiseFile.AssertIn(weights);
        }

        Assert.NotEmpty(hub.Cdn.Requests);
        using var offline = new Variables(("HF_HUB_OFFLINE", "1"));
        var error = await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync(hub, "hf://org/model"));
        Assert.Contains("HF_HUB_OFFLINE is set", error.Message, StringComparison.Ordinal);

        await Download(missing, files[missing]);
        int before = hub.Requests.Count;
        using (WeightSet weights = await LoadAsync(hub, "hf://org/model"))
        {
            NoiseFile.AssertIn(weights);
            Assert.Equal(HubFixture.Commit, weights.Revision);
        }

        Assert.Equal(before, hub.Requests.Count);
        offline.Dispose();
        int payload = hub.Cdn.Requests.Count;
        using (WeightSet weights = await LoadAsync(hub, "hf://org/model"))
        {
            NoiseFile.AssertIn(weights);
        }

        Assert.Equal(payload, hub.Cdn.Requests.Count);

        // A blob that somebody removed leaves its link behind, and the model is fetched.
        File.Delete(Path.Combine(repository, "blobs", missing));
        using (WeightSet weights = await LoadAsync(hub, "hf://org/model"))
        {
            NoiseFile.AssertIn(weights);
        }

        Assert.NotEqual(payload, hub.Cdn.Requests.Count);

        async Task Download(string name, byte[] bytes)
        {
            await File.WriteAllBytesAsync(Path.Combine(repository, "blobs", name), bytes, TestContext.Current.CancellationToken);
            File.CreateSymbolicLink(Path.Combine(snapshot, name), Path.Combine("..", "..", "blobs", name));
        }
    }

    private static async Task<WeightSet> LoadAsync(HubFixture hub, string uri, TensorLoadOptions? options = null)
    {
        using var endpoint = new Variables(("HF_ENDPOINT", hub.Address.AbsoluteUri));
        await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(Quick).Build();
        return await loader.LoadTensorsAsync(uri, options, cancellationToken: TestContext.Current.CancellationToken);
    }
}
