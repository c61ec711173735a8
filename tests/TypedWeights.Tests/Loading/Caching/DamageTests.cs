using TypedWeights.Caching;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Loading.Caching;

/// <summary>Whatever became of the copy, its ledger or the folder, the load gives the right bytes.</summary>
public sealed class DamageTests : CacheTest
{
    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    public async Task A_damaged_part_of_a_copy_is_fetched_again_and_the_next_load_caches_the_file_again(TensorStorage storage)
    {
        await LoadAsync();
        Flip(Copy(), 2_000_000);
        Server.Requests.Clear();

        Assert.False(await LoadAsync(new() { Storage = storage }));

        Assert.InRange(Sent, 100, CacheWriter.BufferSize + 100);
        Assert.Contains("damaged", Assert.Single(Log.Warnings), StringComparison.Ordinal);
        Assert.Equal([".location.json"], Kinds());
        Assert.True(await LoadAsync());
        await AssertCachedAsync();
        Assert.Single(Log.Warnings);
    }

    [Fact]
    public async Task A_damaged_copy_that_should_be_mapped_is_an_error_and_removed()
    {
        await LoadAsync();
        Flip(Copy(), 2_000_000);

        await using (WeightLoader loader = Loader())
        {
            WeightSourceException e = await Assert.ThrowsAsync<WeightSourceException>(
                () => loader.LoadTensorsAsync(Uri, new() { Storage = TensorStorage.Mapped }, cancellationToken: Token));
            Assert.Contains("damaged", e.Message, StringComparison.Ordinal);
        }

        Assert.Equal([".location.json"], Kinds());
        Assert.True(await LoadAsync());
        await LoadAsync(new() { Storage = TensorStorage.Mapped });
    }

    [Fact]
    public async Task A_damaged_copy_is_an_error_in_an_offline_load()
    {
        await LoadAsync();
        Flip(Copy(), 2_000_000);

        await using (WeightLoader loader = Loader())
        {
            WeightSourceException e = await Assert.ThrowsAsync<WeightSourceException>(
                () => loader.LoadTensorsAsync(Uri, new() { Cache = CacheMode.Offline }, cancellationToken: Token));
            Assert.Contains("damaged", e.Message, StringComparison.Ordinal);
        }

        Assert.True(await LoadAsync(new() { Cache = CacheMode.Trust }));
        await AssertCachedAsync();
    }

    [Fact]
    public async Task A_damaged_trusted_copy_is_completed_from_the_source()
    {
        await LoadAsync();
        Flip(Copy(), 2_000_000);
        Server.Requests.Clear();

        Assert.False(await LoadAsync(new() { Cache = CacheMode.Trust }));

        Assert.InRange(Sent, 100, CacheWriter.BufferSize + 100);
        Assert.True(await LoadAsync(new() { Cache = CacheMode.Trust }));
        await AssertCachedAsync();
    }

    [Fact]
    public async Task A_damaged_trusted_copy_is_not_completed_with_bytes_of_another_version()
    {
        await LoadAsync();
        Flip(Copy(), 2_000_000);
        Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(NoiseFile.OtherBytes);

        await using (WeightLoader loader = Loader())
        {
            WeightSourceException e = await Assert.ThrowsAsync<WeightSourceException>(
                () => loader.LoadTensorsAsync(Uri, new() { Cache = CacheMode.Trust }, cancellationToken: Token));
            Assert.Contains("has changed at its source", e.Message, StringComparison.Ordinal);
        }

        Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(NoiseFile.Bytes);
        await LoadAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2_500_000)]
    public async Task A_truncated_copy_is_completed_with_its_missing_bytes(int length)
    {
        await LoadAsync();
        using (FileStream copy = File.OpenWrite(Copy()))
        {
            copy.SetLength(length);
        }

        Server.Requests.Clear();
        Assert.True(await LoadAsync());

        Assert.InRange(Sent, NoiseFile.Bytes.Length - length, NoiseFile.Bytes.Length - length + CacheWriter.BufferSize + 100);
        await AssertCachedAsync();
    }

    [Fact]
    public async Task A_damaged_journal_never_changes_the_loaded_bytes()
    {
        await LoadAsync();
        string copy = Copy(), ledger = copy + ".jsonl";
        byte[] whole = await File.ReadAllBytesAsync(ledger, Token);
        var random = new Random(5);
        for (int i = 0; i < 40; i++)
        {
            byte[] damaged = (byte[])whole.Clone();
            int at = random.Next(damaged.Length);
            switch (i % 4)
            {
                case 0:
                    damaged[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    damaged = damaged[..at];
                    break;
                case 2:
                    damaged = [.. damaged[..at], .. damaged[random.Next(damaged.Length)..]];
                    break;
                default:
                    random.NextBytes(damaged.AsSpan(at, Math.Min(20, damaged.Length - at)));
                    break;
            }

            await File.WriteAllBytesAsync(ledger, damaged, Token);
            await LoadAsync();
            Assert.True(await LoadAsync());
            await AssertCachedAsync();
        }
    }

    [Fact]
    public async Task A_partial_copy_is_checked_against_its_journal()
    {
        await using (WeightLoader loader = Loader())
        {
            using WeightSet some = await loader.LoadTensorsAsync(Uri, new() { Filter = name => name != "embed" }, cancellationToken: Token);
            await some.Caching;
        }

        Assert.True(IsPartial());
        Flip(Copy(), 2_000_000);

        Assert.True(await LoadAsync());

        await AssertCachedAsync();
    }

    [Fact]
    public async Task A_load_works_without_a_copy_that_cannot_be_opened()
    {
        await LoadAsync();
        using (File.OpenHandle(Copy(), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            Assert.False(await LoadAsync().WaitAsync(TimeSpan.FromSeconds(30), Token));
        }

        await LoadAsync(new() { Cache = CacheMode.Offline });
    }

    [Fact]
    public async Task A_location_file_without_an_entry_is_resolved_again_at_the_source()
    {
        await LoadAsync();
        string record = Assert.Single(Directory.GetFiles(Cache, "*.location.json"));
        string text = await File.ReadAllTextAsync(record, Token);
        string damaged = text.Replace($"\"entry\":\"{NoiseFile.Name}\"", "\"entry\":null", StringComparison.Ordinal);
        Assert.NotEqual(text, damaged);
        await File.WriteAllTextAsync(record, damaged, Token);

        await LoadAsync(new() { Cache = CacheMode.Trust });
    }

    [Fact]
    public async Task A_failed_cache_write_is_logged_although_another_message_came_before()
    {
        string source = Folder["source"];
        TestFile.WriteSharded(source, new Dictionary<string, TestFile.Entry[]> { ["a"] = [.. NoiseFile.Entries] });
        foreach (string path in Directory.GetFiles(source))
        {
            Server.Files["/m/" + Path.GetFileName(path)] = ServedFile.Strong(await File.ReadAllBytesAsync(path, Token));
        }

        // Said in the course of the load: one of its files is being written by somebody else.
        string uri = Server.Address + "/m/model.safetensors.index.json";
        await LoadAsync(uri: uri);
        CachedItem index = new CacheFolder(Cache).VersionsOf(uri, Token).Single();
        File.Delete(index.Path);
        File.Delete(Assert.Single(new CacheFolder(Cache).VersionsOf(Server.Address + "/m/a", Token)).Path);
        using (File.OpenHandle(index.Path, FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            Assert.False(await LoadAsync(options: new() { BeforeWrite = () => throw new IOException("no more room") }, uri: uri));
        }

        Assert.Contains(Log.Lines, line => line.Contains("another process is writing it", StringComparison.Ordinal));
        Assert.Contains("no more room", Assert.Single(Log.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/proc/typedweights")]
    [InlineData("/dev/null/typedweights")]
    public async Task A_load_into_a_cache_folder_that_cannot_be_written_succeeds_without_a_copy(string folder)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "these are folders of Unix");
        await using WeightLoader loader = Loader(folder: folder);

        using WeightSet weights = await loader.LoadTensorsAsync(Uri, cancellationToken: Token);

        NoiseFile.AssertIn(weights);
        Assert.False(await weights.Caching);
        Assert.Contains("not cached", Assert.Single(Log.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_copy_in_a_read_only_folder_is_used()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has other permissions");
            return;
        }

        await LoadAsync();
        UnixFileMode before = File.GetUnixFileMode(Cache);
        File.SetUnixFileMode(Cache, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Server.Requests.Clear();
            await LoadAsync();
            Assert.Single(Server.Requests);
        }
        finally
        {
            File.SetUnixFileMode(Cache, before);
        }
    }

    [Theory]
    [MemberData(nameof(OddFile.Kinds), MemberType = typeof(OddFile))]
    public async Task A_load_is_right_and_writes_through_no_odd_file_under_a_name_of_the_cache(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        await LoadAsync();
        string copy = Copy();
        string location = Assert.Single(Directory.GetFiles(Cache, "*.location.json"));
        Directory.CreateDirectory(Folder["elsewhere"]);
        string victim = Folder["elsewhere/victim"];
        await File.WriteAllTextAsync(victim, "precious", Token);
        foreach (string name in (string[])[copy, copy + ".jsonl", location])
        {
            File.Delete(name);
            OddFile.Make(kind, name, victim);

            await LoadAsync();
            await LoadAsync(new() { Cache = CacheMode.Trust });
            await using (WeightLoader loader = Loader())
            {
                try
                {
                    using WeightSet weights =
                        await loader.LoadTensorsAsync(Uri, new() { Cache = CacheMode.Offline }, cancellationToken: Token);
                    NoiseFile.AssertIn(weights);
                }
                catch (WeightSourceException e)
                {
                    Assert.Contains("cache", e.Message, StringComparison.Ordinal);
                }
            }

            Assert.Equal("precious", await File.ReadAllTextAsync(victim, Token));
            Assert.Equal([victim], Directory.GetFileSystemEntries(Folder["elsewhere"]));
            Directory.Delete(Cache, recursive: true);
            await LoadAsync();
        }
    }

    [Fact]
    public async Task A_journal_with_an_impossible_length_is_ignored()
    {
        await LoadAsync();
        string copy = Copy();
        string begin = $$"""{"typedweights":1,"source":"{{Uri}}","length":{{long.MaxValue}},"validator":"x"}""" + "\n";
        string part = $$"""{"offset":0,"length":{{long.MaxValue}},"xxh128":"{{new string('0', 32)}}"}""" + "\n";
        string partial = Path.Combine(Cache, new string('a', 24) + "-1.data");
        await File.WriteAllTextAsync(copy + ".jsonl", begin + part, Token);
        await File.WriteAllTextAsync(partial, "x", Token);
        await File.WriteAllTextAsync(partial + ".jsonl", begin + part + part, Token);

        Assert.Equal(NoiseFile.Bytes.Length + 1, new CacheFolder(Cache).List(Token).Sum(static item => item.Bytes));
        Assert.True(await LoadAsync());

        Assert.Equal(NoiseFile.Bytes, await File.ReadAllBytesAsync(copy, Token));
    }

    [Fact]
    public async Task A_temporary_location_file_of_a_killed_process_is_removed_with_the_cache()
    {
        await LoadAsync();
        var file = TypedWeights.Files.ReplacementFile.Create(Assert.Single(Directory.GetFiles(Cache, "*.location.json")));
        file.Stream.Dispose();
        Assert.Equal(4, Directory.GetFiles(Cache).Length);

        var folder = new CacheFolder(Cache);
        folder.Shrink(0, Token);
        folder.RemoveRemnants();

        Assert.Empty(Directory.GetFiles(Cache));
    }

    private static void Flip(string path, long at)
    {
        using FileStream stream = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        stream.Position = at;
        int value = stream.ReadByte();
        stream.Position = at;
        stream.WriteByte((byte)(value ^ 1));
    }
}
