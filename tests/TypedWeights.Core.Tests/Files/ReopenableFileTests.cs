using TypedWeights.Files;

namespace TypedWeights.Tests.Files;

public sealed class ReopenableFileTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly OpenFiles _openFiles = new(most: 2);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_number_of_open_files_stays_within_the_limit_and_a_closed_file_is_reopened_for_a_read()
    {
        ReopenableFile[] files = [.. Enumerable.Range(0, 10).Select(i => Open(Write($"f{i}", [(byte)i, 1, 2])))];

        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < files.Length; i++)
            {
                Assert.Equal((byte)i, ReadFirst(files[i]));
                Assert.Equal(2, _openFiles.Count);
            }
        }

        Array.ForEach(files, file => file.Dispose());
        Assert.Equal(0, _openFiles.Count);
    }

    [Theory]
    [InlineData("replaced")]
    [InlineData("replaced by a copy")]
    [InlineData("written to")]
    [InlineData("longer")]
    [InlineData("removed")]
    public void A_file_that_was_replaced_or_changed_before_it_is_reopened_is_an_error(string change)
    {
        Assert.SkipWhen(change == "replaced by a copy" && !OperatingSystem.IsLinux(), "which file it is shows on Linux alone");
        string path = Write("f", [1, 2, 3]);
        DateTime time = File.GetLastWriteTimeUtc(path);
        using ReopenableFile file = ReopenableFile.Open(path, openFiles: new OpenFiles(0));

        switch (change)
        {
            case "replaced":
                File.Move(Write("g", [4, 5, 6]), path, overwrite: true);
                File.SetLastWriteTimeUtc(path, time.AddSeconds(1));
                break;
            case "replaced by a copy":
                // With the old one kept, as its place could be used again.
                File.Move(path, _folder["old"]);
                File.Copy(_folder["old"], path);
                File.SetLastWriteTimeUtc(path, time);
                break;
            case "written to":
                File.SetLastWriteTimeUtc(path, time.AddSeconds(1));
                break;
            case "longer":
                File.AppendAllText(path, "x");
                File.SetLastWriteTimeUtc(path, time);
                break;
            default:
                File.Delete(path);
                break;
        }

        IOException error = Assert.ThrowsAny<IOException>(() => file.Rent());
        Assert.True(
            change == "removed" ? error is FileNotFoundException : error.Message.Contains("replaced or written to", StringComparison.Ordinal));
        Assert.Equal(0, _openFiles.Count);
    }

    [Fact]
    public void A_file_is_not_closed_during_a_read()
    {
        string path = Write("f", [7]);
        using ReopenableFile file = ReopenableFile.Open(path, openFiles: new OpenFiles(0));
        Microsoft.Win32.SafeHandles.SafeFileHandle handle = file.Rent();
        Assert.Equal(handle, file.Rent());

        file.Return();
        Assert.False(handle.IsClosed);
        file.Return();
        Assert.True(handle.IsClosed);
    }

    [Fact]
    public void A_file_of_the_cache_may_be_written_to_before_it_is_reopened()
    {
        string path = Write("f", [7]);
        using ReopenableFile file = ReopenableFile.Open(path, isOurs: true, new OpenFiles(0));
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-1));

        Assert.Equal(7, ReadFirst(file));
    }

    [Fact]
    public async Task Parallel_reads_of_many_files_keep_the_number_of_open_files_within_the_limit()
    {
        ReopenableFile[] files = [.. Enumerable.Range(0, 20).Select(i => Open(Write($"f{i}", [(byte)i])))];
        await Parallel.ForAsync(0, 2000, TestContext.Current.CancellationToken, (n, _) =>
        {
            int i = n * 7 % files.Length;
            Assert.Equal((byte)i, ReadFirst(files[i]));
            return ValueTask.CompletedTask;
        });
        Assert.InRange(_openFiles.Count, 0, 2);
        Array.ForEach(files, file => file.Dispose());
    }

    private ReopenableFile Open(string path) => ReopenableFile.Open(path, openFiles: _openFiles);

    private static byte ReadFirst(ReopenableFile file)
    {
        byte[] first = new byte[1];
        Assert.Equal(1, RandomAccess.Read(file.Rent(), first, 0));
        file.Return();
        return first[0];
    }

    private string Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(_folder[name], bytes);
        return _folder[name];
    }
}
