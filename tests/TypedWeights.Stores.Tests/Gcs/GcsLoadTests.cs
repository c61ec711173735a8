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
    public async Task A_name_stands_as_it_is(string name)
    {
        Store.Put(name, NoiseFile.Bytes);
        await AssertLoadsAsync(Uri(name));
    }

    [Theory]
    [InlineData($"gs://{GcsFixture.Bucket}")]
    [InlineData("models:/")]
    public async Task What_was_loaded_once_is_in_the_cache(string place)
    {
        await StoreCache.AssertKeepsAsync(
            builder => builder.UseGcs(Options).UseAlias("models", Uri("")), $"{place}/{NoiseFile.Name}", Tokens.Secrets);
    }

    [Fact]
    public async Task A_part_of_a_file_is_all_that_is_read()
    {
        await using WeightLoader loader = Loader();
        await StoreLoads.AssertReadsAPartAsync(loader, Uri(NoiseFile.Name));
    }

    [Theory]
    [InlineData("sharded/model.safetensors.index.json")]
    [InlineData("sharded/")]
    [InlineData("sharded")]
    public async Task An_index_brings_its_shards(string name)
    {
        PutShards("part", NoiseFile.Entries);
        await AssertLoadsAsync(Uri(name));
    }

    [Fact]
    public async Task Every_range_is_of_the_generation_of_the_first_answer()
    {
        Store.IsVersioned = true;
        long generation = Store.Put(NoiseFile.Name, NoiseFile.Bytes);
        await AssertLoadsAsync(Uri(NoiseFile.Name), afterHeader: () => Store.Put(NoiseFile.Name, NoiseFile.OtherBytes));
        Assert.All(Store.Requests.Skip(1), request => Assert.Equal($"generation={generation}", request.Query));
        Assert.True(Store.Requests.Count > 4);
    }

    [Fact]
    public async Task What_is_replaced_while_it_is_read_is_an_error_where_no_old_generation_is_kept()
    {
        WeightSourceException error = await AssertFailsAsync(
            "replaced while it was read", Uri(NoiseFile.Name), afterHeader: () => Store.Put(NoiseFile.Name, NoiseFile.OtherBytes));
        Assert.False(error.IsTransient);
        Assert.False(error.IsNotFound);
    }

    [Fact]
    public async Task A_generation_is_read_as_it_was()
    {
        Store.IsVersioned = true;
        long first = Store.Put(NoiseFile.Name, NoiseFile.Bytes);
        Store.Put(NoiseFile.Name, NoiseFile.OtherBytes);
        await AssertLoadsAsync($"{Uri(NoiseFile.Name)}#{first}");
        await AssertLoadsAsync($"{Uri(NoiseFile.Name)}?generation={first}");
        Assert.True((await AssertFailsAsync("the generation 17 of this object no more", Uri(NoiseFile.Name) + "#17")).IsNotFound);
    }

    [Fact]
    public async Task A_typed_load_asks_for_the_generation_that_the_snapshot_recorded_and_floats_where_it_is_told_to()
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
    public async Task The_index_of_a_snapshot_is_asked_for_as_it_was_so_that_new_shards_of_other_names_stay_out()
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
    public async Task What_is_not_there_is_said()
    {
        Assert.True((await AssertFailsAsync("the bucket weights has no such object", Uri("absent.safetensors"))).IsNotFound);
        Assert.True((await AssertFailsAsync("there is no bucket absent", "gs://absent/model.safetensors")).IsNotFound);
        Assert.True((await AssertFailsAsync("there is no bucket absent", "gs://absent/folder")).IsNotFound);
        Assert.True((await AssertFailsAsync("holds none of model.safetensors.index.json", Uri("empty/"))).IsNotFound);
    }

    [Theory]
    [InlineData("gs://weights:80/model.safetensors")]
    [InlineData("gs://user:s3cret@weights/model.safetensors")]
    [InlineData("gs://weights/model.safetensors?generation=a17")]
    [InlineData("gs://weights/model.safetensors?generation=")]
    public Task What_names_no_object_is_an_error(string uri) => AssertFailsAsync("this is not gs://bucket/object", uri);

    private void PutShards(string stem, IEnumerable<TestFile.Entry> entries)
    {
        foreach ((string name, byte[] bytes) in NoiseShards.Files(stem, entries))
        {
            Store.Put("sharded/" + name, bytes);
        }
    }
}
