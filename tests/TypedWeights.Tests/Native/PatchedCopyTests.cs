using System.Runtime.Versioning;
using TypedWeights.Elf;
using TypedWeights.Native;
using TypedWeights.Tests.Native.Support;

namespace TypedWeights.Tests.Native;

[SupportedOSPlatform("linux")]
public sealed class PatchedCopyTests : IDisposable
{
    private static readonly byte[] Original = File.ReadAllBytes(TorchFiles.TorchSharp);
    private static readonly byte[] Patched = WeakVersionPatch.Apply(Original);

    private readonly TempFolder _temp;

    public PatchedCopyTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The copy is made on Linux only.");
        _temp = new TempFolder();
    }

    [Fact]
    public void The_patched_copy_is_private_in_a_folder_named_by_the_digest_of_the_original()
    {
        string path = Ensure();

        string digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Original));
        Assert.Equal(_temp[$"cache/native/{digest}/libX.so"], path);
        Assert.Equal(Patched, File.ReadAllBytes(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        foreach (string folder in (string[])["cache", "cache/native", $"cache/native/{digest}"])
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(_temp[folder]));
        }
    }

    [Fact]
    public void A_whole_patched_copy_is_used_unchanged()
    {
        string path = Ensure();
        var then = new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(path, then);

        Assert.Equal(path, Ensure());
        Assert.Equal(then, File.GetLastWriteTimeUtc(path));
    }

    [Theory]
    [InlineData("one byte differs")]
    [InlineData("cut short")]
    [InlineData("empty")]
    [InlineData("longer")]
    [InlineData("a link to the original")]
    [InlineData("others may write")]
    public void A_damaged_patched_copy_is_replaced(string damage)
    {
        string path = Ensure();
        switch (damage)
        {
            case "one byte differs":
                byte[] bytes = [.. Patched];
                bytes[^1] ^= 1;
                File.WriteAllBytes(path, bytes);
                break;
            case "cut short":
                File.WriteAllBytes(path, Patched[..1000]);
                break;
            case "empty":
                File.WriteAllBytes(path, []);
                break;
            case "longer":
                File.WriteAllBytes(path, [.. Patched, 0]);
                break;
            case "a link to the original":
                File.Delete(path);
                File.CreateSymbolicLink(path, TorchFiles.TorchSharp);
                break;
            default:
                File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.OtherWrite);
                break;
        }

        Assert.Equal(path, Ensure());

        Assert.Equal(Patched, File.ReadAllBytes(path));
        Assert.Null(new FileInfo(path).LinkTarget);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        Assert.Equal(Original, File.ReadAllBytes(TorchFiles.TorchSharp));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public async Task Concurrent_threads_create_one_whole_patched_copy()
    {
        using var start = new Barrier(8);
        Task<string>[] tasks = [.. Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait();
                return Ensure();
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default))];

        string path = Assert.Single((await Task.WhenAll(tasks)).Distinct());

        Assert.Equal(Patched, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public void A_failed_write_of_the_patched_copy_leaves_no_file_behind()
    {
        string path = Ensure();
        File.Delete(path);
        Directory.CreateDirectory(path);

        Assert.ThrowsAny<IOException>(Ensure);

        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    public void Dispose() => _temp.Dispose();

    private string Ensure() => PatchedCopy.Ensure(Original, "libX.so", new CacheRoot(_temp.Path, "cache"));
}
