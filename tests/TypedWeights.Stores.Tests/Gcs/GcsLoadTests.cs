using TypedWeights.Tests.Loading;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Gcs;

public sealed class GcsLoadTests : GcsTest
{
    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("a folder/with + and %41 and %2F/modèle 模型.safetensors")]
    [InlineData("odd!*'()~@,;=&$.safetensors")]
    [InlineData("run #7/part#1.safetensors")]
    [InlineData("two//slashes/./and/../dots/model.safetensors")]
    public async Task A_GCS_object_name_with_any_characters_is_read_as_written(string name)
    {
        Store.Put(name, NoiseFile.Bytes);
        await AssertLoadsAsync(Uri(name));
    }

    [Theory]
    [InlineData($"gs://{GcsFixture.Bucket}")]
    [InlineData("models:/")]
    public async Task A_loaded_GCS_object_is_in_the_cache_for_the_next_load(string place)
    {
        await StoreCache.AssertKeepsAsync(
            builder => builder.UseGcs(Options).UseAlias("models", Uri("")), $"{place}/{NoiseFile.Name}", Tokens.Secrets);
    }

    [Fact]
    public async Task A_filtered_load_reads_only_a_part_of_the_GCS_object()
    {
        await using WeightLoader loader = Loader();
        await StoreLoads.AssertReadsAPartAsync(loader, Uri(NoiseFile.Name));
    }

    [Theory]
    [InlineData("sharded/model.safetensors.index.json")]
    [InlineData("sharded/")]
    [InlineData("sharded")]
    public async Task An_index_in_a_GCS_bucket_loads_with_its_shards(string name)
    {
        PutShards("part", NoiseFile.Entries);
        await AssertLoadsAsync(Uri(name));
    }

    [Fact]
    public async Task Every_range_requests_the_generation_of_the_first_response()
    {
        Store.IsVersioned = true;
        long generation = Store.Put(NoiseFile.Name, NoiseFile.Bytes);
        await AssertLoadsAsync(Uri(NoiseFile.Name), afterHeader: () => Store.Put(NoiseFile.Name, NoiseFile.OtherBytes));
        Assert.All(Store.Requests.Skip(1), request => Assert.Equal($"generation={generation}", request.Query));
        Assert.True(Store.Requests.Count > 4);
    }

    [Fact]
    public async Task A_replaced_object_is_an_error_in_a_bucket_without_old_generations()
    {
        WeightSourceException error = await AssertFailsAsync(
            "replaced while it was read", Uri(NoiseFile.Name), afterHeader: () => Store.Put(NoiseFile.Name, NoiseFile.OtherBytes));
        Assert.False(error.IsTransient);
        Assert.False(error.IsNotFound);
    }

    [Fact]
    public async Task An_older_generation_is_read_with_its_old_bytes()
    {
        Store.IsVersioned = true;
        long first = Store.Put(NoiseFile.Name, NoiseFile.Bytes);
        Store.Put(NoiseFile.Name, NoiseFile.OtherBytes);
        await AssertLoadsAsync($"{Uri(NoiseFile.Name)}#{first}");
        await AssertLoadsAsync($"{Uri(NoiseFile.Name)}?generation={first}");
        Assert.True((await AssertFailsAsync("no longer has the generation 17 of this object", Uri(NoiseFile.Name) + "#17")).IsNotFound);
    }

    [Fact]
    public async Task A_typed_load_reads_the_generation_of_the_snapshot_or_the_latest_on_request()
    {
        Store.IsVersioned = true;
        long first = Store.Put(NoiseFile.Name, NoiseFile.Bytes);
        var snapshot = await LiveModel.SnapshotAsync(Uri(NoiseFile.Name), builder => builder.UseGcs(Options));
        Assert.Equal($"{first}", Assert.Single(snapshot.Files).Version);
        Store.Put(NoiseFile.Name, NoiseFile.OtherBytes);
        await using WeightLoader loader = Loader();
        await StoreLoads.AssertReadsTheRecordedAndTheLatestAsync(loader);
    }

    [Fact]
    public async Task A_typed_load_reads_the_index_generation_of_the_snapshot_and_its_old_shards()
    {
        Store.IsVersioned = true;
        PutShards("old", NoiseFile.Entries);
        var snapshot = await LiveModel.SnapshotAsync(Uri("sharded/"), builder => builder.UseGcs(Options));
        Assert.NotNull(snapshot.Index);
        PutShards("new", NoiseFile.OtherEntries);

        await using WeightLoader loader = Loader();
        await StoreLoads.AssertReadsTheRecordedAndTheLatestAsync(loader);
    }

    [Fact]
    public async Task An_absent_object_or_bucket_is_reported_as_not_found()
    {
        Assert.True((await AssertFailsAsync("the bucket weights has no such object", Uri("absent.safetensors"))).IsNotFound);
        Assert.True((await AssertFailsAsync("there is no bucket absent", "gs://absent/model.safetensors")).IsNotFound);
        Assert.True((await AssertFailsAsync("there is no bucket absent", "gs://absent/folder")).IsNotFound);
        Assert.True((await AssertFailsAsync("contains none of model.safetensors.index.json", Uri("empty/"))).IsNotFound);
    }

    [Theory]
    [InlineData("gs://weights:80/model.safetensors")]
    [InlineData("gs://user:s3cret@weights/model.safetensors")]
    [InlineData("gs://weights/model.safetensors?generation=a17")]
    [InlineData("gs://weights/model.safetensors?generation=")]
    public Task A_URI_that_names_no_GCS_object_is_an_error(string uri) => AssertFailsAsync("this is not gs://bucket/object", uri);

    private void PutShards(string stem, IEnumerable<TestFile.Entry> entries)
    {
        foreach ((string name, byte[] bytes) in NoiseShards.Files(stem, entries))
        {
            Store.Put("sharded/" + name, bytes);
        }
    }
}
