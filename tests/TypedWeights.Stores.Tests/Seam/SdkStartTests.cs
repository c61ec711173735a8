namespace TypedWeights.Tests.Stores.Seam;

/// <summary>What the stores cost a process that uses none of them: a process of its own (tests/StoreProbe).</summary>
public sealed class SdkStartTests
{
    [Fact]
    public async Task No_SDK_is_loaded_before_the_first_URI_of_its_store()
    {
        string[] stores = ["TypedWeights.AzureBlobs", "TypedWeights.Gcs", "TypedWeights.S3"];
        using var folder = new TempFolder();
        await File.WriteAllBytesAsync(folder["model.safetensors"], [1, 2, 3], TestContext.Current.CancellationToken);

        string[] loaded = (await ProbeRun.OutputAsync([folder["model.safetensors"], "loaded"])).Split('\n');

        Assert.Equal(stores, loaded.Intersect(stores).Order());
        Assert.DoesNotContain(loaded, static name => name.StartsWith("AWSSDK", StringComparison.Ordinal)
            || name.StartsWith("Azure.", StringComparison.Ordinal) || name.StartsWith("Google.", StringComparison.Ordinal));
    }
}
