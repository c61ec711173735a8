using Amazon.Runtime;
using TypedWeights.Tests.Loading;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.S3;

public sealed class S3LoadTests : S3Test
{
    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("a folder/with + and %41 and %2F/modèle 模型.safetensors")]
    [InlineData("odd!*'()~@,;=&$.safetensors")]
    [InlineData("two//slashes/./and/../dots/model.safetensors")]
    public async Task An_object_key_with_any_characters_is_read_as_written(string key)
    {
        await Bucket.PutAsync(key, NoiseFile.Bytes);
        await AssertLoadsAsync(Bucket.Uri(key));
    }

    [Fact]
    public async Task A_loaded_S3_object_is_in_the_cache_for_the_next_load()
    {
        await Bucket.PutAsync("model.safetensors", NoiseFile.Bytes);
        ImmutableCredentials keys = Bucket.Keys.GetCredentials();
        await StoreCache.AssertKeepsAsync(
            builder => builder.UseS3(Bucket.Options), Bucket.Uri("model.safetensors"), keys.AccessKey, keys.SecretKey);
    }

    [Fact]
    public async Task A_filtered_load_reads_only_a_part_of_the_S3_object()
    {
        await Bucket.PutAsync("model.safetensors", NoiseFile.Bytes);
        await using WeightLoader loader = Loader();
        await StoreLoads.AssertReadsAPartAsync(loader, Bucket.Uri("model.safetensors"));
    }

    [Theory]
    [InlineData("sharded/model.safetensors.index.json")]
    [InlineData("sharded/")]
    [InlineData("sharded")]
    public async Task An_index_in_a_bucket_loads_with_its_shards(string key)
    {
        await PutShardsAsync("part", NoiseFile.Entries);
        await AssertLoadsAsync(Bucket.Uri(key));
    }

    [Fact]
    public async Task An_object_that_is_replaced_during_a_load_is_an_error()
    {
        await Bucket.PutAsync("model.safetensors", NoiseFile.Bytes);
        WeightSourceException error = await AssertFailsAsync(
            "replaced while it was read",
            Bucket.Uri("model.safetensors"),
            afterHeader: () => Task.Run(() => Bucket.PutAsync("model.safetensors", NoiseFile.OtherBytes))
                .Wait(TestContext.Current.CancellationToken));
        Assert.StartsWith(Bucket.Uri("model.safetensors"), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_absent_key_or_bucket_is_reported_as_not_found()
    {
        Assert.True((await AssertFailsAsync("no such key", Bucket.Uri("absent.safetensors"))).IsNotFound);
        Assert.True((await AssertFailsAsync("no bucket", $"s3://absent-{Guid.NewGuid():N}/model.safetensors")).IsNotFound);
        Assert.True((await AssertFailsAsync("no bucket", $"s3://absent-{Guid.NewGuid():N}/folder")).IsNotFound);
        Assert.True((await AssertFailsAsync("contains none of model.safetensors.index.json", Bucket.Uri("empty/"))).IsNotFound);
    }

    [Fact]
    public async Task An_older_version_of_an_object_is_read_by_its_versionId()
    {
        await Bucket.EnableVersionsAsync();
        string? first = await Bucket.PutAsync("model.safetensors", NoiseFile.Bytes);
        await Bucket.PutAsync("model.safetensors", NoiseFile.OtherBytes);
        await AssertLoadsAsync($"{Bucket.Uri("model.safetensors")}?versionId={first}");
        await AssertFailsAsync(
            "no version nosuchversion0000000000000000000 of this key",
            Bucket.Uri("model.safetensors") + "?versionId=nosuchversion0000000000000000000");
    }

    [Fact]
    public async Task A_typed_load_reads_the_version_of_the_snapshot_or_the_latest_on_request()
    {
        await Bucket.EnableVersionsAsync();
        string? first = await Bucket.PutAsync("model.safetensors", NoiseFile.Bytes);
        var snapshot = await LiveModel.SnapshotAsync(Bucket.Uri("model.safetensors"), builder => builder.UseS3(Bucket.Options));
        Assert.Equal(first, Assert.Single(snapshot.Files).Version);
        await Bucket.PutAsync("model.safetensors", NoiseFile.OtherBytes);
        await using WeightLoader loader = Loader();
        await StoreLoads.AssertReadsTheRecordedAndTheLatestAsync(loader);
    }

    [Fact]
    public async Task A_typed_load_reads_the_index_version_of_the_snapshot_and_its_old_shards()
    {
        await Bucket.EnableVersionsAsync();
        await PutShardsAsync("old", NoiseFile.Entries);
        var snapshot = await LiveModel.SnapshotAsync(Bucket.Uri("sharded/"), builder => builder.UseS3(Bucket.Options));
        Assert.NotNull(snapshot.Index);
        await PutShardsAsync("new", NoiseFile.OtherEntries);

        await using WeightLoader loader = Loader();
        await StoreLoads.AssertReadsTheRecordedAndTheLatestAsync(loader);
    }

    private async Task PutShardsAsync(string stem, IEnumerable<TestFile.Entry> entries)
    {
        foreach ((string name, byte[] bytes) in NoiseShards.Files(stem, entries))
        {
            await Bucket.PutAsync("sharded/" + name, bytes);
        }
    }
}
