using TypedWeights.Tests.Loading;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Azure;

public sealed class AzureLoadTests : AzureTest
{
    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("a folder/with + and %41 and %2F/modèle 模型.safetensors")]
    [InlineData("odd!*'()~@,;=&$.safetensors")]
    public async Task A_blob_name_with_any_characters_is_read_as_written(string blob)
    {
        await Container.PutAsync(blob, NoiseFile.Bytes);
        await AssertLoadsAsync(Container.Uri(blob));
    }

    [Fact]
    public async Task A_loaded_blob_is_in_the_cache_for_the_next_load()
    {
        string sas = Container.Sign(TimeSpan.FromMinutes(5));
        string signature = sas.Split('&').Single(static pair => pair.StartsWith("sig=", StringComparison.Ordinal))["sig=".Length..];
        await StoreCache.AssertKeepsAsync(
            builder => builder.UseAzureBlobs(Container.Options),
            $"{Container.Uri(NoiseFile.Name)}?{sas}",
            signature,
            Uri.UnescapeDataString(signature));
    }

    [Fact]
    public async Task A_filtered_load_reads_only_a_part_of_the_blob()
    {
        await using WeightLoader loader = Loader();
        await StoreLoads.AssertReadsAPartAsync(loader, Container.Uri(NoiseFile.Name));
    }

    [Theory]
    [InlineData("sharded/model.safetensors.index.json")]
    [InlineData("sharded/")]
    [InlineData("sharded")]
    public async Task An_index_in_a_container_loads_with_its_shards(string blob)
    {
        foreach ((string name, byte[] bytes) in NoiseShards.Files("part"))
        {
            await Container.PutAsync("sharded/" + name, bytes);
        }

        await AssertLoadsAsync(Container.Uri(blob));
    }

    [Fact]
    public async Task A_typed_load_reads_the_blob_that_its_snapshot_was_taken_of()
    {
        await LiveModel.SnapshotAsync(Container.Uri(NoiseFile.Name), builder => builder.UseAzureBlobs(Container.WithKey));
        await using WeightLoader loader = Loader();
        using LiveModel model = await loader.LoadAsync<LiveModel>(cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(model.Weights);
    }

    [Fact]
    public async Task A_blob_that_is_replaced_during_a_load_is_an_error()
    {
        string uri = Container.Uri(NoiseFile.Name);
        WeightSourceException error = await AssertFailsAsync(
            "replaced while it was read",
            uri,
            afterHeader: () => Task.Run(() => Container.PutAsync(NoiseFile.Name, NoiseFile.OtherBytes)).Wait(TestContext.Current.CancellationToken));
        Assert.StartsWith(uri, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_blob_snapshot_is_read_with_its_old_bytes()
    {
        string snapshot = await Container.SnapshotAsync(NoiseFile.Name);
        await Container.PutAsync(NoiseFile.Name, NoiseFile.OtherBytes);
        await AssertLoadsAsync($"{Container.Uri(NoiseFile.Name)}?snapshot={snapshot}");
        await AssertLoadsAsync($"{Container.Uri(NoiseFile.Name)}?snapshot={Uri.EscapeDataString(snapshot)}");
    }

    [Fact]
    public async Task An_absent_blob_or_container_is_reported_as_not_found()
    {
        Assert.True((await AssertFailsAsync("has no such blob", Container.Uri("absent.safetensors"))).IsNotFound);
        Assert.True((await AssertFailsAsync(
            "has no container absent-container", $"az://{AzuriteContainer.Account}/absent-container/model.safetensors")).IsNotFound);
        Assert.True((await AssertFailsAsync(
            "has no container absent-container", $"az://{AzuriteContainer.Account}/absent-container/folder")).IsNotFound);
        Assert.True((await AssertFailsAsync("contains none of model.safetensors.index.json", Container.Uri("empty/"))).IsNotFound);
    }

    [Theory]
    [InlineData("az://account")]
    [InlineData("az://account/")]
    [InlineData("az://account/container/a/../b.safetensors")]
    public Task A_URI_that_names_no_blob_is_an_error(string uri) => AssertFailsAsync("does not name an account, a container and a blob", uri);
}
