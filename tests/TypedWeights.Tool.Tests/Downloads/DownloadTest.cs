using TypedWeights.Tests.Support;

namespace TypedWeights.Tests.Downloads;

/// <summary>A server with a model, and a folder to download to.</summary>
public abstract class DownloadTest : ServerTest
{
    private protected static byte[] Model { get; } = TestFile.Bytes(
        [TestFile.Noise("a", "BF16", 16, 1500, 1000), TestFile.Noise("b", "U8", 8, 3), TestFile.Noise("c", "F32", 32, 1_000_000)]);

    private protected Task<ToolRun> RunAsync(params string[] args) => ToolRun.InAsync(Folder.Path, args);

    private protected byte[] Read(string name) => File.ReadAllBytes(Folder[name]);

    private protected IEnumerable<string?> Left() =>
        Directory.GetFileSystemEntries(Folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
