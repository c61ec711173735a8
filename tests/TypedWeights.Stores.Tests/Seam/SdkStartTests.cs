using System.Diagnostics;

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

        string[] loaded = await LoadedForAsync(folder["model.safetensors"]);

        Assert.Equal(stores, loaded.Intersect(stores).Order());
        Assert.DoesNotContain(loaded, static name => name.StartsWith("AWSSDK", StringComparison.Ordinal)
            || name.StartsWith("Azure.", StringComparison.Ordinal) || name.StartsWith("Google.", StringComparison.Ordinal));
    }

    private static async Task<string[]> LoadedForAsync(string uri)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet")
        {
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "StoreProbe.dll"), uri, "loaded" },
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        string output = await process.StandardOutput.ReadToEndAsync(token);
        await process.WaitForExitAsync(token);
        Assert.True(process.ExitCode == 0, output);
        return output.Split('\n');
    }
}
