using System.Text;
using System.Text.Json;
using TypedWeights.Checkpoints;
using TypedWeights.Format;
using TypedWeights.Manifests;
using TypedWeights.Memory;
using TypedWeights.Snapshots;
using TypedWeights.Sources;
using TypedWeights.Sources.File;

namespace TypedWeights.Tests.Checkpoints;

public sealed class CheckpointReaderTests : IDisposable
{
    private const string Index = "model.safetensors.index.json";

    private readonly TempFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_single_file_is_a_checkpoint_with_its_ties()
    {
        var metadata = new Dictionary<string, string>
        {
            ["format"] = "pt",
            ["embed.weight"] = "head.weight",
            ["head.weight"] = "other",
            ["x"] = "nothing",
        };
        TestFile.Write(_folder["m.safetensors"], [TestFile.F32("head.weight", [1], 1), TestFile.F32("other", [1], 2)], metadata);
        (WatchedLocation location, Checkpoint checkpoint) = await ReadAsync("m.safetensors");
        await using (checkpoint)
        {
            Assert.Equal(["m.safetensors"], checkpoint.Files.Select(static file => file.Name));
            Assert.Equal(["head.weight", "other"], checkpoint.Tensors.Keys.Order(StringComparer.Ordinal));
            Assert.Equal([KeyValuePair.Create("embed.weight", "head.weight")], checkpoint.Ties);
            Assert.Equal("pt", checkpoint.Metadata["format"]);
            Assert.Empty(checkpoint.Warnings);
            Assert.Equal(1, location.Open);
        }

        Assert.Equal(0, location.Open);
    }

    [Fact]
    public async Task Shards_are_listed_in_the_order_of_their_names_and_the_index_is_closed()
    {
        WriteShards(("b.safetensors", ["x", "y"]), ("a.safetensors", ["z"]), ("sub/c.safetensors", ["w"]));
        (WatchedLocation location, Checkpoint checkpoint) = await ReadAsync(Index);
        await using (checkpoint)
        {
            Assert.Equal(["a.safetensors", "b.safetensors", "sub/c.safetensors"], checkpoint.Files.Select(static file => file.Name));
            Assert.Equal((1, 2), (checkpoint.Tensors["x"].File, checkpoint.Tensors["w"].File));
            Assert.Equal((3, 4), (location.Open, location.Opened));
        }

        Assert.Equal(0, location.Open);
    }

    [Fact]
    public async Task At_most_eight_headers_are_read_in_parallel()
    {
        const int AtATime = 8;
        WriteShards([.. Enumerable.Range(0, 40).Select(static i => ($"s{i:00}.safetensors", new[] { $"t{i}" }))]);
        var location = await WatchAsync(Index);
        using var everyoneIsIn = new SemaphoreSlim(0);
        int waiting = 0;
        location.Opening = async (name, token) =>
        {
            if (name == Index)
            {
                return;
            }

            // The first eight wait for one another: fewer at a time would wait for ever.
            int place = Interlocked.Increment(ref waiting);
            if (place == AtATime)
            {
                everyoneIsIn.Release(AtATime);
            }

            if (place <= AtATime)
            {
                await everyoneIsIn.WaitAsync(token);
            }
        };
        await using Checkpoint checkpoint = await CheckpointReader.ReadAsync(WeightUri.Parse("x"), location, Token);
        Assert.Equal(40, checkpoint.Files.Count);
        Assert.Equal(AtATime, location.MostOpening);
    }

    [Fact]
    public async Task An_unlisted_tensor_in_two_shards_is_an_error_that_names_both_shards()
    {
        WriteShards(("a.safetensors", ["y"]), ("b.safetensors", ["z"]));
        TestFile.Write(_folder["a.safetensors"], [TestFile.F32("y", [1], 1), TestFile.F32("x", [1], 1)]);
        TestFile.Write(_folder["b.safetensors"], [TestFile.F32("z", [1], 1), TestFile.F32("x", [1], 1)]);
        SafeTensorsFormatException error = await RefusedAsync();
        Assert.Equal(SafeTensorsErrorKind.DuplicateTensor, error.Kind);
        Assert.Contains("\"x\" is in \"a.safetensors\" and in \"b.safetensors\"", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.safetensors")]
    [InlineData("b.safetensors")]
    public async Task The_index_decides_which_shard_of_a_duplicate_tensor_is_used(string shard)
    {
        string other = shard == "a.safetensors" ? "b.safetensors" : "a.safetensors";
        WriteShards((shard, ["x", "y"]), (other, ["z"]));
        TestFile.Write(_folder[other], [TestFile.F32("x", [2], 3, 4), TestFile.F32("z", [1], 1)]);
        (_, Checkpoint checkpoint) = await ReadAsync(Index);
        await using (checkpoint)
        {
            CheckpointTensor x = checkpoint.Tensors["x"];
            Assert.Equal((3, shard), (checkpoint.Tensors.Count, checkpoint.Files[x.File].Name));
            Assert.Equal(new TensorShape(1), x.Info.Shape);
            Assert.Contains(": a tensor is in more than one shard: \"", Assert.Single(checkpoint.Warnings), StringComparison.Ordinal);

            // And its snapshot is one that can be read, and built a class from.
            WeightSnapshot snapshot = SnapshotReader.Read(SnapshotWriter.Write(SnapshotBuilder.Build(checkpoint)));
            byte[] manifest = Encoding.ASCII.GetBytes(ManifestWriter.Write(snapshot, "s", Token));
            ManifestTensor expected = WeightManifest.Parse(manifest).Tensors.Single(tensor => tensor.Name == "x");
            Assert.Equal((x.Info.Shape, -1), (expected.Shape, expected.File));
        }
    }

    [Theory]
    [InlineData("format", "pt", false)]
    [InlineData("base_model", "pt", false)]
    [InlineData("embed.weight", "pt", true)]
    [InlineData("embed.weight", "pt2", false)]
    [InlineData("other", "pt", false)]
    public async Task A_metadata_entry_is_a_tie_only_if_its_key_has_a_dot_and_its_value_is_the_name_of_a_tensor(string key, string value, bool isTie)
    {
        var metadata = new Dictionary<string, string> { [key] = value };
        TestFile.Write(_folder["m.safetensors"], [TestFile.F32("pt", [1], 1), TestFile.F32("other", [1], 1)], metadata);
        (_, Checkpoint checkpoint) = await ReadAsync("m.safetensors");
        await using (checkpoint)
        {
            Assert.Equal(isTie, checkpoint.Ties.ContainsKey(key));
        }
    }

    [Theory]
    [InlineData("head", true)]
    [InlineData("tail", false)]
    public async Task A_name_without_a_dot_is_tied_only_if_a_second_metadata_entry_declares_the_tie(string declared, bool isTie)
    {
        var metadata = new Dictionary<string, string> { ["embed"] = "head", ["tie:embed"] = declared };
        TestFile.Write(_folder["m.safetensors"], [TestFile.F32("head", [1], 1), TestFile.F32("tail", [1], 1)], metadata);
        (_, Checkpoint checkpoint) = await ReadAsync("m.safetensors");
        await using (checkpoint)
        {
            Assert.Equal(isTie ? [KeyValuePair.Create("embed", "head")] : [], checkpoint.Ties);
        }
    }

    [Fact]
    public async Task A_tensor_that_the_index_does_not_list_is_kept_with_a_warning()
    {
        WriteShards(("a.safetensors", ["x"]));
        TestFile.Write(_folder["a.safetensors"], [TestFile.F32("x", [1], 1), TestFile.F32("scale", [1], 1), TestFile.F32("zero", [1], 1)]);
        (_, Checkpoint checkpoint) = await ReadAsync(Index);
        await using (checkpoint)
        {
            Assert.Equal(3, checkpoint.Tensors.Count);
            string warning = Assert.Single(checkpoint.Warnings);
            const string Says = "2 tensors that the index does not list, such as \"scale\" in \"a.safetensors\"";
            Assert.Contains(Says, warning, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("8", false)]
    [InlineData("8.0", false)]
    [InlineData("0.8e1", false)]
    [InlineData("\"8\"", false)]
    [InlineData("null", false)]
    [InlineData("{}", false)]
    [InlineData("9", true)]
    [InlineData("-8", true)]
    [InlineData("8.5", true)]
    [InlineData("\"many\"", true)]
    [InlineData("1e300", true)]
    public async Task A_total_size_that_differs_from_the_tensors_is_a_warning(string totalSize, bool warns)
    {
        WriteShards(("a.safetensors", ["x"]), ("b.safetensors", ["y"]));
        await WriteIndexAsync(
            $$"""{"metadata":{"total_size":{{totalSize}},"o":[1]},"weight_map":{"x":"a.safetensors","y":"b.safetensors"},"more":1}""");
        (_, Checkpoint checkpoint) = await ReadAsync(Index);
        await using (checkpoint)
        {
            Assert.Equal(warns ? 1 : 0, checkpoint.Warnings.Count);
            Assert.All(checkpoint.Warnings, static text => Assert.Contains("the tensors have 8 bytes", text, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("a.safetensors", "missing")]
    [InlineData("b.safetensors", "missing")]
    [InlineData("a.safetensors", "truncated")]
    [InlineData("b.safetensors", "truncated")]
    [InlineData("b.safetensors", "another")]
    public async Task A_broken_shard_is_named_in_the_error_and_every_file_is_closed(string shard, string what)
    {
        WriteShards(("a.safetensors", ["x"]), ("b.safetensors", ["y"]), ("c.safetensors", ["z"]));
        byte[] whole = await File.ReadAllBytesAsync(_folder[shard], Token);
        switch (what)
        {
            case "missing":
                File.Delete(_folder[shard]);
                break;
            case "truncated":
                await File.WriteAllBytesAsync(_folder[shard], whole[..^1], Token);
                break;
            default:
                TestFile.Write(_folder[shard], [TestFile.F32("other", [1], 1)]);
                break;
        }

        var location = await WatchAsync(Index);
        var error = await Assert.ThrowsAsync<SafeTensorsFormatException>(
            async () => await CheckpointReader.ReadAsync(WeightUri.Parse("x"), location, Token));
        Assert.Equal(
            what switch
            {
                "missing" => SafeTensorsErrorKind.MissingShard,
                "truncated" => SafeTensorsErrorKind.MetadataIncompleteBuffer,
                _ => SafeTensorsErrorKind.TensorNotInShard,
            },
            error.Kind);
        Assert.Contains(shard, error.Message, StringComparison.Ordinal);
        Assert.Equal(0, location.Open);
    }

    [Fact]
    public async Task The_error_always_names_the_first_of_several_broken_shards()
    {
        WriteShards([.. Enumerable.Range(0, 20).Select(static i => ($"s{i:00}.safetensors", new[] { $"t{i}" }))]);
        for (int i = 3; i < 20; i++)
        {
            File.Delete(_folder[$"s{i:00}.safetensors"]);
        }

        for (int round = 0; round < 10; round++)
        {
            Assert.Contains("\"s03.safetensors\"", (await RefusedAsync()).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Cancelling_a_read_closes_the_files_that_were_opened()
    {
        WriteShards(("a.safetensors", ["x"]), ("b.safetensors", ["y"]), ("c.safetensors", ["z"]));
        using var cancel = new CancellationTokenSource();
        var location = await WatchAsync(Index);
        location.Opening = async (name, token) =>
        {
            if (name == "c.safetensors")
            {
                await cancel.CancelAsync();
                await Task.Delay(Timeout.Infinite, token);
            }
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await CheckpointReader.ReadAsync(WeightUri.Parse("x"), location, cancel.Token));
        Assert.InRange(location.Opened, 1, 3);
        Assert.Equal(0, location.Open);
    }

    [Fact]
    public async Task An_index_beyond_the_limits_is_refused_before_it_is_read()
    {
        await using (var file = new FileStream(_folder[Index], FileMode.Create))
        {
            file.SetLength(ShardIndex.LengthLimit + 1L);
        }

        var location = await WatchAsync(Index);
        var error = await Assert.ThrowsAsync<SafeTensorsFormatException>(
            async () => await CheckpointReader.ReadAsync(WeightUri.Parse("x"), location, Token));
        Assert.Equal((SafeTensorsErrorKind.InvalidIndex, 0L, 0), (error.Kind, location.BytesRead, location.Open));

        var map = Enumerable.Range(0, ShardIndex.ShardLimit + 1).ToDictionary(static i => $"t{i}", static i => $"s{i}.safetensors");
        await WriteIndexAsync(JsonSerializer.Serialize(new { weight_map = map }));
        Assert.Contains("more than 10000 shards", (await RefusedAsync()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_index_with_the_name_of_a_safetensors_file_gets_an_error_with_the_right_extension()
    {
        WriteShards(("a.safetensors", ["x"]));
        File.Move(_folder[Index], _folder["model.safetensors"]);
        var error = await Assert.ThrowsAsync<SafeTensorsFormatException>(() => ReadAsync("model.safetensors"));
        Assert.Contains("ends in .safetensors.index.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metadata_of_the_shards_is_merged_and_the_first_file_wins()
    {
        WriteShards(("a.safetensors", ["x"]), ("b.safetensors", ["y"]));
        var ofA = new Dictionary<string, string> { ["format"] = "pt", ["only"] = "a" };
        var ofB = new Dictionary<string, string> { ["format"] = "mlx", ["copy.w"] = "x" };
        TestFile.Write(_folder["a.safetensors"], [TestFile.F32("x", [1], 1)], ofA);
        TestFile.Write(_folder["b.safetensors"], [TestFile.F32("y", [1], 1)], ofB);
        (_, Checkpoint checkpoint) = await ReadAsync(Index);
        await using (checkpoint)
        {
            Assert.Equal(("pt", "a", "x"), (checkpoint.Metadata["format"], checkpoint.Metadata["only"], checkpoint.Metadata["copy.w"]));
            Assert.Equal("x", checkpoint.Ties["copy.w"]);
        }
    }

    [Fact]
    public async Task The_metadata_entry_that_declares_a_tie_is_not_a_tie_itself()
    {
        var metadata = new Dictionary<string, string> { ["b.w"] = "head", ["tie:b.w"] = "head", ["tie:c.w"] = "head", ["tie:tie:c.w"] = "head" };
        TestFile.Write(_folder["m.safetensors"], [TestFile.F32("head", [1], 1)], metadata);
        (_, Checkpoint checkpoint) = await ReadAsync("m.safetensors");
        await using (checkpoint)
        {
            Assert.Equal(["b.w", "tie:c.w"], checkpoint.Ties.Keys.Order(StringComparer.Ordinal));
            Assert.Equal(2, checkpoint.Ties.Count);
            Assert.False(checkpoint.Ties.ContainsKey("tie:b.w"));
            Assert.False(checkpoint.Ties.TryGetValue("head", out _));
            Assert.Throws<KeyNotFoundException>(() => checkpoint.Ties["tie:b.w"]);
        }
    }

    [Fact]
    public async Task The_ties_of_a_header_full_of_ties_take_less_than_four_times_its_length()
    {
        const int Count = 300_000;
        var metadata = Enumerable.Range(0, Count).ToDictionary(static i => $".{i:x}", static _ => "b");
        TestFile.Write(_folder["m.safetensors"], [TestFile.F32("b", [1], 1)], metadata);
        (_, Checkpoint read) = await ReadAsync("m.safetensors");
        await using Checkpoint opened = read;

        long before = GC.GetAllocatedBytesForCurrentThread();
        var checkpoint = new Checkpoint(opened.Uri, null, opened.Files, []);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(Count, checkpoint.Ties.Count);
        Assert.InRange(allocated, 0, 4 * opened.Files[0].Header.HeaderLength);
    }

    [Fact]
    public async Task An_index_beyond_the_memory_limit_is_refused_before_a_byte_of_it_is_read()
    {
        WriteShards(("a.safetensors", ["x"]));
        string json = await File.ReadAllTextAsync(_folder[Index], Token) + new string(' ', 100_000);
        await WriteIndexAsync(json);
        WatchedLocation location = await WatchAsync(Index);
        var budget = new HeaderBudget(MemoryBound.Of(500_000), bufferLimit: 300_000);

        var error = await Assert.ThrowsAsync<MemoryLimitException>(
            async () => await CheckpointReader.ReadAsync(WeightUri.Parse(_folder[Index]), location, budget, Token));

        Assert.Equal((500_000L, 10L * json.Length), (error.Limit, error.BufferBytes));
        Assert.Contains(Index + ": ", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            $"the option MemoryLimit. Raise it; an index of {json.Length:N0} bytes was not read", error.Message, StringComparison.Ordinal);
        Assert.Equal((0, 1), (location.Open, location.Opened));
    }

    [Fact]
    public async Task An_index_counts_towards_the_total_memory_limit_and_not_the_buffer_limit()
    {
        WriteShards(("a.safetensors", ["x"]));
        await WriteIndexAsync(await File.ReadAllTextAsync(_folder[Index], Token) + new string(' ', 100_000));
        var budget = new HeaderBudget(MemoryBound.Of(5_000_000), bufferLimit: 300_000);

        await using Checkpoint checkpoint = await CheckpointReader.ReadAsync(
            WeightUri.Parse(_folder[Index]), await WatchAsync(Index), budget, Token);

        Assert.Equal(["x"], checkpoint.Tensors.Keys);
    }

    private void WriteShards(params (string File, string[] Tensors)[] shards) => TestFile.WriteSharded(
        _folder.Path,
        shards.ToDictionary(
            static shard => shard.File, static shard => shard.Tensors.Select(static name => TestFile.F32(name, [1], 1)).ToArray()));

    private Task WriteIndexAsync(string json) => File.WriteAllTextAsync(_folder[Index], json, Token);

    private async Task<WatchedLocation> WatchAsync(string name)
    {
        await using var provider = new FileProvider();
        return new WatchedLocation(await provider.LocateAsync(WeightUri.Parse(_folder[name]), Token));
    }

    private async Task<(WatchedLocation Location, Checkpoint Checkpoint)> ReadAsync(string name)
    {
        WatchedLocation location = await WatchAsync(name);
        return (location, await CheckpointReader.ReadAsync(WeightUri.Parse(_folder[name]), location, Token));
    }

    private Task<SafeTensorsFormatException> RefusedAsync() => Assert.ThrowsAsync<SafeTensorsFormatException>(() => ReadAsync(Index));
}
