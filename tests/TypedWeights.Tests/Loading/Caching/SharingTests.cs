using TypedWeights.Caching;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Loading.Caching;

/// <summary>Several loads and processes have one folder, which has its size.</summary>
public sealed class SharingTests : CacheTest
{
    [Fact]
    public async Task Concurrent_loads_of_one_loader_write_one_copy()
    {
        await using WeightLoader loader = Loader();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            using WeightSet weights = await loader.LoadTensorsAsync(Uri, cancellationToken: Token);
            NoiseFile.AssertIn(weights);
            Assert.True(await weights.Caching);
        }));

        await AssertCachedAsync();
        Assert.Empty(Log.Warnings);
    }

    [Fact]
    public async Task Concurrent_loaders_and_processes_damage_no_copy()
    {
        using var child = ProbeProcess.Start("load", Uri, Cache);
        await child.ReadAsync("ready");
        Task<string> other = child.GoAsync("loaded");
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => LoadAsync()));
        Assert.Equal(ProbeProcess.DigestOf(NoiseFile.Entries), await other);
        await child.EndAsync();

        await LoadAsync();
        await AssertCachedAsync();
        Assert.Empty(Log.Warnings);
    }

    [Fact]
    public async Task A_copy_that_another_loader_is_writing_is_left_to_that_loader()
    {
        var disk = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using WeightLoader slow = Loader(new() { BeforeWrite = () => disk.Task.WaitAsync(TimeSpan.FromMinutes(2), Token) });
        using WeightSet weights = await slow.LoadTensorsAsync(Uri, cancellationToken: Token);

        await LoadAsync();

        Assert.True(IsPartial());
        disk.SetResult();
        Assert.True(await weights.Caching);
        Assert.Contains(Log.Lines, line => line.Contains("another process is writing it", StringComparison.Ordinal));
        await AssertCachedAsync();
    }

    [Fact]
    public async Task The_least_recently_used_copy_is_removed_first_when_the_folder_is_full()
    {
        long length = NoiseFile.Bytes.Length;
        var options = new LocalCacheOptions { SizeLimit = 2 * length + 1000 };
        string[] uris = [.. Enumerable.Range(0, 3).Select(i => $"{Server.Address}/{i}/model.safetensors")];
        foreach (string uri in uris)
        {
            Server.Files[new Uri(uri).AbsolutePath] = ServedFile.Strong(NoiseFile.Bytes);
        }

        await LoadAsync(options: options, uri: uris[0]);
        await LoadAsync(options: options, uri: uris[1]);
        Age(uris[0], 2);
        Age(uris[1], 3);
        await LoadAsync(options: options, uri: uris[0]);
        Assert.True(await LoadAsync(options: options, uri: uris[2]));

        Assert.True(new CacheFolder(Cache).List(Token).Sum(item => item.Bytes) <= options.SizeLimit);
        await LoadAsync(new() { Cache = CacheMode.Offline }, uri: uris[0]);
        await LoadAsync(new() { Cache = CacheMode.Offline }, uri: uris[2]);
        await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync(new() { Cache = CacheMode.Offline }, uri: uris[1]));
    }

    [Theory]
    [InlineData("mapped")]
    [InlineData("other process")]
    public async Task A_copy_in_use_is_kept_and_a_new_file_is_then_not_cached(string use)
    {
        long length = NoiseFile.Bytes.Length;
        await LoadAsync();
        string target = Copy();
        string other = $"{Server.Address}/other/model.safetensors";
        Server.Files["/other/model.safetensors"] = ServedFile.Strong(NoiseFile.Bytes);
        var options = new LocalCacheOptions { SizeLimit = length + (length / 2) };
        await using WeightLoader loader = Loader();
        WeightSet? mapped = use == "mapped"
            ? await loader.LoadTensorsAsync(Uri, new() { Storage = TensorStorage.Mapped }, cancellationToken: Token)
            : null;
        using ProbeProcess? child = mapped is null ? ProbeProcess.Start("hold", target) : null;
        if (child is not null)
        {
            await child.ReadAsync("held");
        }

        Assert.False(await LoadAsync(options: options, uri: other));
        Assert.True(File.Exists(target));
        Assert.Contains("in use", Assert.Single(Log.Warnings), StringComparison.Ordinal);
        Assert.InRange(new CacheFolder(Cache).List(Token).Sum(item => item.Bytes), length, options.SizeLimit!.Value);
        if (mapped is not null)
        {
            NoiseFile.AssertIn(mapped);
            mapped.Dispose();
        }

        if (child is not null)
        {
            await child.GoAsync(null);
            await child.EndAsync();
        }

        Assert.True(await LoadAsync(options: options, uri: other));
        Assert.False(File.Exists(target));
    }

    [Fact]
    public async Task A_partial_copy_can_be_read_offline_by_several_processes_at_once()
    {
        await using WeightLoader loader = Loader();
        var some = new TensorLoadOptions { Filter = name => name == "layers.0.weight" };
        using (WeightSet first = await loader.LoadTensorsAsync(Uri, some, cancellationToken: Token))
        {
            await first.Caching;
        }

        // As another process has it that reads it.
        Assert.True(IsPartial());
        using (File.OpenHandle(Copy(), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
        {
            using WeightSet weights = await loader.LoadTensorsAsync(Uri, some with { Cache = CacheMode.Offline }, cancellationToken: Token);
            Assert.Equal(NoiseFile.Entries[1].Data, TensorBytes.Of(weights["layers.0.weight"]));
        }

        // And nobody holds it afterwards.
        Assert.True(await LoadAsync());
    }

    [Fact]
    public async Task A_cache_folder_can_be_listed_while_its_files_are_deleted_and_rewritten()
    {
        await LoadAsync();
        CachedItem item = new CacheFolder(Cache).List(Token).Single();
        byte[] journal = await File.ReadAllBytesAsync(item.JournalPath, Token);
        Task other = Task.Run(
            () =>
            {
                for (int i = 0; i < 3000; i++)
                {
                    File.Delete(item.JournalPath);
                    File.WriteAllBytes(item.JournalPath, journal);
                }
            },
            Token);
        while (!other.IsCompleted)
        {
            Assert.Equal(item.Bytes, Assert.Single(new CacheFolder(Cache).List(Token)).Bytes);
        }

        await other;
    }

    [Fact]
    public async Task Copies_that_another_process_wrote_count_for_the_size_limit()
    {
        await LoadAsync();
        long length = NoiseFile.Bytes.Length;
        await using var cache = new LocalCache(Cache, new() { SizeLimit = 3 * length });
        cache.TakeRoom(1);
        foreach (string other in (string[])["/1/", "/2/"])
        {
            Server.Files[other + NoiseFile.Name] = ServedFile.Strong(NoiseFile.Bytes);
            await LoadAsync(uri: Server.Address + other + NoiseFile.Name);
        }

        // Far from the limit by what the cache knew at first.
        for (int i = 0; i < 4; i++)
        {
            cache.TakeRoom(length / 10);
        }

        Assert.Equal(2, new CacheFolder(Cache).List(Token).Count);
    }

    private void Age(string uri, int hours)
    {
        CachedItem item = new CacheFolder(Cache).VersionsOf(uri, Token).Single();
        File.SetLastWriteTimeUtc(item.JournalPath, DateTime.UtcNow.AddHours(-hours));
    }
}
