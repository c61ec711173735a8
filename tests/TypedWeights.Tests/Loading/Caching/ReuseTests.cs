using TorchSharp;
using TypedWeights.Caching;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Loading.Caching;

/// <summary>What has been loaded once comes from the disk the next time, after one request or none.</summary>
public sealed class ReuseTests : CacheTest
{
    private static readonly string[] Whole = [".data", ".data.jsonl", ".location.json"];

    [Fact]
    public async Task A_second_load_sends_one_request_and_reads_the_copy()
    {
        Assert.True(await LoadAsync());
        Assert.Equal(Whole, Kinds());
        await AssertCachedAsync();

        Server.Requests.Clear();
        Assert.True(await LoadAsync());

        FaultRequest asked = Assert.Single(Server.Requests);
        Assert.Equal(8, asked.Length);
        Assert.Equal(Whole, Kinds());
        Assert.Empty(Log.Warnings);
    }

    [Fact]
    public async Task A_second_typed_load_sends_one_request_and_reads_the_copy()
    {
        await using WeightLoader loader = Loader();
        using (NoiseModel model = await loader.LoadAsync<NoiseModel>(Uri, null, null, Token))
        {
            Assert.True(await model.Weights.Caching);
        }

        Assert.Equal(Whole, Kinds());
        await AssertCachedAsync();
        Server.Requests.Clear();
        using (NoiseModel model = await loader.LoadAsync<NoiseModel>(Uri, null, null, Token))
        {
            NoiseFile.AssertIn(model.Weights);
        }

        Assert.Single(Server.Requests);
    }

    [Theory]
    [InlineData(CacheMode.Trust)]
    [InlineData(CacheMode.Offline)]
    public async Task A_second_load_that_trusts_the_copy_or_is_offline_sends_no_request(CacheMode mode)
    {
        await LoadAsync();
        Server.Requests.Clear();
        Server.Answer = _ => Respond.Status(500);

        await LoadAsync(new() { Cache = mode });
        await LoadAsync(options: new() { Mode = mode });

        Assert.Empty(Server.Requests);
    }

    [Theory]
    [InlineData(CacheMode.Check)]
    [InlineData(CacheMode.Trust)]
    [InlineData(CacheMode.Offline)]
    public async Task A_copy_can_be_mapped_and_changes_of_its_tensors_do_not_reach_the_file(CacheMode mode)
    {
        await LoadAsync();
        Server.Requests.Clear();
        await using (WeightLoader loader = Loader())
        {
            using WeightSet mapped = await loader.LoadTensorsAsync(
                Uri, new() { Storage = TensorStorage.Mapped, Cache = mode }, cancellationToken: Token);
            NoiseFile.AssertIn(mapped);
            mapped["layers.0.weight"].fill_(0);
        }

        Assert.Equal(mode == CacheMode.Check ? 1 : 0, Server.Requests.Count);
        await AssertCachedAsync();
    }

    [Fact]
    public async Task A_remote_file_without_a_whole_copy_cannot_be_mapped()
    {
        await using WeightLoader loader = Loader();
        WeightSourceException e = await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync(Uri, new() { Storage = TensorStorage.Mapped }, cancellationToken: Token));
        Assert.Contains("only local files can be mapped", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shards_and_their_index_are_cached_and_load_offline()
    {
        TestFile.Entry[] entries = [.. Enumerable.Range(0, 5).Select(i => TestFile.Noise($"t{i}", "U8", 8, 300_000 + i))];
        string source = Folder["source"];
        TestFile.WriteSharded(
            source, new Dictionary<string, TestFile.Entry[]> { ["a b.safetensors"] = entries[..2], ["c.safetensors"] = entries[2..] });
        foreach (string path in Directory.GetFiles(source))
        {
            Server.Files["/m/" + System.Uri.EscapeDataString(Path.GetFileName(path))] = ServedFile.Strong(await File.ReadAllBytesAsync(path, Token));
        }

        // A folder: what was found in it is remembered too.
        string uri = Server.Address + "/m/";
        await using WeightLoader loader = Loader();
        foreach (CacheMode mode in (CacheMode[])[CacheMode.Check, CacheMode.Offline, CacheMode.Check, CacheMode.Trust])
        {
            Server.Requests.Clear();
            using WeightSet weights = await loader.LoadTensorsAsync(uri, new() { Cache = mode }, cancellationToken: Token);
            Assert.All(entries, entry => Assert.Equal(entry.Data, TensorBytes.Of(weights[entry.Name])));
            Assert.True(await weights.Caching);
            Assert.True(mode == CacheMode.Check || Server.Requests.IsEmpty);
        }

        Assert.Equal(3, Directory.GetFiles(Cache, "*.data").Length);
    }

    [Fact]
    public async Task A_filtered_load_caches_its_tensors_and_a_later_load_fetches_the_rest()
    {
        await using WeightLoader loader = Loader(transfer: Quick with { GapSize = 0 });
        using (WeightSet some = await loader.LoadTensorsAsync(Uri, new() { Filter = name => name == "layers.0.weight" }, cancellationToken: Token))
        {
            Assert.True(await some.Caching);
        }

        Assert.Equal(Whole, Kinds());
        Assert.True(IsPartial());
        long before = Sent;
        Assert.InRange(before, 1_200_000, 1_210_000);

        // It knows what it has.
        Server.Requests.Clear();
        using (WeightSet some = await loader.LoadTensorsAsync(Uri, new() { Filter = name => name == "layers.0.weight" }, cancellationToken: Token))
        {
            Assert.Equal(NoiseFile.Entries[1].Data, TensorBytes.Of(some["layers.0.weight"]));
            await some.Caching;
        }

        Assert.Single(Server.Requests);
        using (WeightSet some = await loader.LoadTensorsAsync(
            Uri, new() { Filter = name => name == "layers.0.weight", Cache = CacheMode.Offline }, cancellationToken: Token))
        {
            Assert.Equal(NoiseFile.Entries[1].Data, TensorBytes.Of(some["layers.0.weight"]));
            await some.Caching;
        }

        WeightSourceException absent = await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync(Uri, new() { Cache = CacheMode.Offline }, cancellationToken: Token));
        Assert.Contains("is missing or damaged in the cache", absent.Message, StringComparison.Ordinal);

        Server.Requests.Clear();
        Assert.True(await LoadAsync());
        Assert.Equal(Whole, Kinds());
        Assert.InRange(Sent, NoiseFile.Bytes.Length - before, NoiseFile.Bytes.Length - before + 100);
    }

    [Theory]
    [InlineData("strong")]
    [InlineData("weak")]
    [InlineData("date")]
    public async Task A_newer_version_of_a_file_replaces_the_cached_copy(string kind)
    {
        var noon = new DateTimeOffset(2025, 1, 1, 12, 0, 0, TimeSpan.Zero);
        ServedFile File(byte[] bytes, int version) => kind switch
        {
            "strong" => new(bytes, $"\"{version}\""),
            "weak" => new(bytes, $"W/\"{version}\""),
            _ => new(bytes, Modified: noon.AddMinutes(version)),
        };
        Server.Files["/" + NoiseFile.Name] = File(NoiseFile.OtherBytes, 1);
        await using (WeightLoader loader = Loader())
        {
            using WeightSet old = await loader.LoadTensorsAsync(Uri, cancellationToken: Token);
            Assert.True(await old.Caching);
        }

        string before = Copy();
        Server.Files["/" + NoiseFile.Name] = File(NoiseFile.Bytes, 2);

        Assert.True(await LoadAsync());

        Assert.NotEqual(before, Copy());
        Server.Requests.Clear();
        await LoadAsync();
        Assert.Single(Server.Requests);
    }

    [Theory]
    [InlineData("a.safetensors")]
    [InlineData("model.safetensors.index.json")]
    public async Task An_offline_load_reports_an_evicted_file_as_not_cached_and_not_as_missing(string evicted)
    {
        string source = Folder["source"];
        TestFile.WriteSharded(source, new Dictionary<string, TestFile.Entry[]>
        {
            ["a.safetensors"] = [.. NoiseFile.Entries.Take(2)],
            ["b.safetensors"] = [.. NoiseFile.Entries.Skip(2)],
        });
        foreach (string path in Directory.GetFiles(source))
        {
            Server.Files["/m/" + Path.GetFileName(path)] = ServedFile.Strong(await File.ReadAllBytesAsync(path, Token));
        }

        string uri = Server.Address + "/m/model.safetensors.index.json";
        Assert.True(await LoadAsync(uri: uri));
        string data = Assert.Single(new CacheFolder(Cache).VersionsOf($"{Server.Address}/m/{evicted}", Token)).Path;
        File.Delete(data);
        File.Delete(data + ".jsonl");
        string place = Assert.Single(Directory.GetFiles(Cache, "*.location.json"));
        string known = await File.ReadAllTextAsync(place, Token);
        Assert.Contains($"\"{evicted}\":{{", known, StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            place, known.Replace($"\"{evicted}\":{{", "\"other.safetensors\":{", StringComparison.Ordinal), Token);

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => LoadAsync(new() { Cache = CacheMode.Offline }, uri: uri));
        Assert.StartsWith($"{Server.Address}/m/{evicted}: it is not in the cache", error.Message, StringComparison.Ordinal);
        Assert.False(error.IsNotFound);
    }

    [Fact]
    public async Task A_load_writes_no_copy_by_default_or_with_CacheMode_Off()
    {
        await using (WeightLoader plain = new WeightLoaderBuilder().UseTransferOptions(Quick).Build())
        {
            using WeightSet weights = await plain.LoadTensorsAsync(Uri, cancellationToken: Token);
            Assert.False(await weights.Caching);
        }

        // Who is not to ask has nowhere to look, and does not ask.
        await using (WeightLoader plain = new WeightLoaderBuilder().UseTransferOptions(Quick).Build())
        {
            Server.Requests.Clear();
            WeightsException e = await Assert.ThrowsAsync<WeightsException>(
                () => plain.LoadTensorsAsync(Uri, new() { Cache = CacheMode.Offline }, cancellationToken: Token));
            Assert.Contains("this loader has no cache", e.Message, StringComparison.Ordinal);
            Assert.Empty(Server.Requests);
        }

        Assert.False(await LoadAsync(new() { Cache = CacheMode.Off }));
        Assert.False(await LoadAsync(options: new() { Mode = CacheMode.Off }));
        Assert.Empty(Kinds());

        await LoadAsync();
        Server.Requests.Clear();
        await LoadAsync(new() { Cache = CacheMode.Off });
        Assert.NotEmpty(Server.Payloads);
    }

    [Fact]
    public async Task A_local_file_is_not_cached()
    {
        string path = Folder["model.safetensors"];
        await File.WriteAllBytesAsync(path, NoiseFile.Bytes, Token);

        await LoadAsync(uri: path);
        await LoadAsync(new() { Cache = CacheMode.Offline }, uri: path);

        Assert.Empty(Kinds());
    }

    [Fact]
    public async Task A_remote_file_without_a_validator_is_not_cached()
    {
        Server.Files["/" + NoiseFile.Name] = new ServedFile(NoiseFile.Bytes);

        Assert.False(await LoadAsync());

        Assert.Empty(Kinds());
        Assert.Single(Log.Warnings, line => line.Contains("no ETag or date", StringComparison.Ordinal));
        Assert.Single(Log.Warnings, line => line.Contains("neither an ETag nor a Last-Modified", StringComparison.Ordinal));
        Assert.Equal(2, Log.Warnings.Count);
    }

    [Fact]
    public async Task No_secret_is_in_a_file_name_of_the_cache_a_journal_or_the_log()
    {
        const string Secret = "s3cr3t";
        string uri = $"{Uri.Replace("://", $"://user:{Secret}@", StringComparison.Ordinal)}?sig={Secret}&versionId=7#{Secret}";

        Assert.True(await LoadAsync(uri: uri));

        // Another signature is the same file.
        Server.Requests.Clear();
        await LoadAsync(uri: uri.Replace("sig=", "sig=another", StringComparison.Ordinal));
        Assert.Single(Server.Requests);
        Assert.DoesNotContain(Directory.GetFiles(Cache), path => path.Contains(Secret, StringComparison.Ordinal));
        Assert.DoesNotContain(
            Directory.GetFiles(Cache, "*json*"), path => File.ReadAllText(path).Contains(Secret, StringComparison.Ordinal));
        Assert.DoesNotContain(Log.Lines, line => line.Contains(Secret, StringComparison.Ordinal));
        Assert.Contains(
            "versionId=7",
            await File.ReadAllTextAsync(Directory.GetFiles(Cache, "*.data.jsonl").Single(), Token),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CacheMode.Check, null)]
    [InlineData(CacheMode.Trust, null)]
    [InlineData(CacheMode.Check, "\"length and time\"")]
    [InlineData(CacheMode.Trust, "\"length and time\"")]
    public async Task Two_files_whose_URLs_differ_in_a_query_parameter_are_never_confused(CacheMode mode, string? tag)
    {
        // Of equal length, and with a tag of their own or, as from many servers, the same one.
        Server.Files["/get"] = tag is null ? ServedFile.Strong(NoiseFile.OtherBytes) : new(NoiseFile.OtherBytes, tag);
        await using WeightLoader loader = Loader();
        using (WeightSet other = await loader.LoadTensorsAsync(Server.Address + "/get?file=other", cancellationToken: Token))
        {
            Assert.True(await other.Caching);
        }

        string kept = Copy();
        Server.Files["/get"] = tag is null ? ServedFile.Strong(NoiseFile.Bytes) : new(NoiseFile.Bytes, tag);

        Assert.True(await LoadAsync(new() { Cache = mode }, uri: Server.Address + "/get?file=this"));

        // Nor is one removed as an older version of the other.
        Assert.True(File.Exists(kept));
        WeightSourceException e = await Assert.ThrowsAsync<WeightSourceException>(() => loader.LoadTensorsAsync(
            Server.Address + "/get?file=this", new() { Cache = CacheMode.Offline }, cancellationToken: Token));
        Assert.Contains("may identify the file", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://host/m?sv=2023-11-03&sig=x&se=2026", false)]
    [InlineData("https://host/m?X-Amz-Signature=x&x-amz-date=y&versionId=7", false)]
    [InlineData("s3://bucket/m?region=eu-west-1", false)]
    [InlineData("https://host/m#part?file=a", false)]
    [InlineData("https://host/m?file=a", true)]
    [InlineData("https://host/m?versionId=7&versionId=://x", true)]
    public void Query_parameters_of_credentials_and_versions_do_not_make_a_URL_ambiguous(string uri, bool isVague) =>
        Assert.Equal(isVague, TypedWeights.Sources.HiddenParameters.MayTellFilesApart(TypedWeights.Sources.WeightUri.Parse(uri)));

    [Fact]
    public async Task A_file_from_a_server_without_ranges_is_read_once_and_then_from_its_copy()
    {
        Server.Answer = _ => Respond.IgnoreRange;
        Assert.True(await LoadAsync());
        await AssertCachedAsync();

        Server.Requests.Clear();
        await LoadAsync(new() { Cache = CacheMode.Offline });
        await LoadAsync();

        Assert.Single(Server.Requests);
    }

    [Fact]
    public async Task An_environment_variable_names_the_cache_folder()
    {
        Environment.SetEnvironmentVariable("TYPEDWEIGHTS_CACHE", Cache);
        try
        {
            await using WeightLoader loader = new WeightLoaderBuilder().UseTransferOptions(Quick).Build();
            using WeightSet weights = await loader.LoadTensorsAsync(Uri, cancellationToken: Token);
            Assert.True(await weights.Caching);
        }
        finally
        {
            Environment.SetEnvironmentVariable("TYPEDWEIGHTS_CACHE", null);
        }

        Assert.Equal(Whole, Kinds());
    }
}
