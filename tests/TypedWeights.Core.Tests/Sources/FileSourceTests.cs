using System.Diagnostics;
using TypedWeights.Checkpoints;
using TypedWeights.Sources;
using TypedWeights.Sources.File;

namespace TypedWeights.Tests.Sources;

public sealed class FileSourceTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Many_tasks_can_read_any_ranges_of_a_file_at_once()
    {
        byte[] bytes = new byte[300_000];
        new Random(1).NextBytes(bytes);
        await File.WriteAllBytesAsync(_folder["f"], bytes, Token);
        await using FileSource source = FileSource.Open(_folder["f"], "f");
        Assert.Equal((300_000L, null), (source.Length, source.Validator));
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(
            async () =>
            {
                int offset = i * 7001;
                int length = Math.Min(20_011, bytes.Length - offset);
                Assert.Equal(bytes.AsSpan(offset, length).ToArray(), await source.ReadAsync(offset, length, Token));
            },
            Token)));
    }

    [Fact]
    public async Task A_file_that_is_cut_while_it_is_read_is_an_error_and_returns_no_zeros()
    {
        await using FileSource source = await OldFileAsync();
        await using IRangeReader reader = await source.OpenRangeAsync(0, 30_000, Token);
        await using IRangeReader behind = await source.OpenRangeAsync(20_000, 10_000, Token);
        Assert.Equal(12_000, await reader.ReadAsync(new byte[12_000], Token));
        using (var writer = new FileStream(_folder["f"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            writer.SetLength(20_000);
        }

        await Assert.ThrowsAsync<WeightSourceException>(async () => await reader.ReadAsync(new byte[18_000], Token));
        var error = await Assert.ThrowsAsync<WeightSourceException>(async () => await behind.ReadAsync(new byte[10_000], Token));
        Assert.Equal("shown: the file ended at byte 20000 of the 30000 it had when it was opened: it was cut while it was read.", error.Message);
        Assert.False(error.IsNotFound);
    }

    [Fact]
    public async Task A_file_that_is_rewritten_in_place_while_it_is_read_is_an_error()
    {
        await using FileSource source = await OldFileAsync();
        await using IRangeReader reader = await source.OpenRangeAsync(0, 30_000, Token);
        Assert.Equal(12_000, await reader.ReadAsync(new byte[12_000], Token));
        using (var writer = new FileStream(_folder["f"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            writer.Position = 20_000;
            writer.WriteByte(1);
        }

        var error = await Assert.ThrowsAsync<WeightSourceException>(async () => await reader.ReadAsync(new byte[10_000], Token));
        Assert.Equal(
            "shown: the file was modified while it was read; load it again when it is completely written, and replace files by "
                + "renaming.", error.Message);
    }

    [Fact]
    public async Task Reading_the_header_of_a_file_that_was_cut_after_it_was_opened_is_an_error_of_the_source()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("a", [2], 1, 2)]);
        await using FileSource source = FileSource.Open(path, "m");
        using (var writer = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            writer.SetLength(12);
        }

        await Assert.ThrowsAsync<WeightSourceException>(async () => await source.ReadHeaderAsync(Token));
    }

    [Fact]
    public async Task A_cancelled_token_ends_a_read_before_it_begins()
    {
        await File.WriteAllBytesAsync(_folder["f"], new byte[100], Token);
        await using FileSource source = FileSource.Open(_folder["f"], "f");
        await using IRangeReader reader = await source.OpenRangeAsync(0, 100, Token);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reader.ReadAsync(new byte[10], cancelled.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await source.OpenRangeAsync(0, 1, cancelled.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await source.ReadHeaderAsync(cancelled.Token));
    }

    [Fact]
    public async Task A_range_outside_the_file_is_an_argument_error()
    {
        await File.WriteAllBytesAsync(_folder["f"], new byte[10], Token);
        await using FileSource source = FileSource.Open(_folder["f"], "f");
        foreach ((long offset, long length) in new[] { (-1L, 1L), (0, 0), (0, 11), (10, 1), (long.MaxValue, 1) })
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await source.OpenRangeAsync(offset, length, Token));
        }
    }

    [Fact]
    public void A_missing_file_is_reported_as_not_found_and_a_folder_is_not()
    {
        var absent = Assert.Throws<WeightSourceException>(() => FileSource.Open(_folder["none"], "none"));
        Assert.True(absent.IsNotFound);
        var inAbsent = Assert.Throws<WeightSourceException>(() => FileSource.Open(_folder["none/none"], "none"));
        Assert.True(inAbsent.IsNotFound);
        var isFolder = Assert.Throws<WeightSourceException>(() => FileSource.Open(_folder.Path, "dir"));
        Assert.Contains("a folder", isFolder.Message, StringComparison.Ordinal);
        Assert.False(isFolder.IsNotFound);
    }

    [Theory]
    [InlineData("pipe")]
    [InlineData("link")]
    public async Task A_named_pipe_is_refused_without_waiting_for_its_writer(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no named pipes among its files");
        using (Process make = Process.Start("mkfifo", [_folder["pipe"]]))
        {
            await make.WaitForExitAsync(Token);
            Assert.Equal(0, make.ExitCode);
        }

        File.CreateSymbolicLink(_folder["link"], "pipe");
        Task open = Task.Run(() => FileSource.Open(_folder[name], name), Token);

        // Failing, it would wait for ever.
        var error = await Assert.ThrowsAsync<WeightSourceException>(() => open.WaitAsync(TimeSpan.FromMinutes(1), Token));
        Assert.Equal($"{name}: this is a named pipe, and a regular file is expected.", error.Message);
    }

    [Theory]
    [InlineData(OddFile.Socket, "a socket")]
    [InlineData(OddFile.LinkToDevice, "a device")]
    public void A_path_that_is_not_a_regular_file_is_refused_with_its_type(string kind, string says)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has none among its files");
        OddFile.Make(kind, _folder["odd"], _folder["victim"]);

        var error = Assert.Throws<WeightSourceException>(() => FileSource.Open(_folder["odd"], "shown"));

        Assert.Equal($"shown: this is {says}, and a regular file is expected.", error.Message);
    }

    [Theory]
    [InlineData("/dev/zero")]
    [InlineData("/dev/null")]
    [InlineData("/proc/cpuinfo")]
    [InlineData("/proc/self/status")]
    public async Task A_device_or_a_file_without_a_length_is_refused_and_not_read_as_empty(string path)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "other systems have other such files");
        WeightUri uri = WeightUri.Parse(path);
        IWeightLocation location = await new FileProvider().LocateAsync(uri, Token);

        var error = await Assert.ThrowsAsync<WeightSourceException>(async () => await CheckpointReader.ReadAsync(uri, location, Token));

        Assert.StartsWith(path + ": this ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("a regular file is expected.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OddFile.Pipe, "a named pipe")]
    [InlineData(OddFile.LinkToDevice, "a device")]
    public async Task A_shard_that_is_not_a_regular_file_is_refused_with_its_type(string kind, string says)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has none among its files");
        TestFile.WriteSharded(_folder.Path, new Dictionary<string, TestFile.Entry[]>
        {
            ["1.safetensors"] = [TestFile.F32("a", [1], 1)],
            ["2.safetensors"] = [TestFile.F32("b", [1], 2)],
        });
        File.Delete(_folder["2.safetensors"]);
        OddFile.Make(kind, _folder["2.safetensors"], _folder["victim"]);
        WeightUri uri = WeightUri.Parse(_folder.Path);
        IWeightLocation location = await new FileProvider().LocateAsync(uri, Token);

        var error = await Assert.ThrowsAsync<WeightSourceException>(async () => await CheckpointReader.ReadAsync(uri, location, Token));

        Assert.EndsWith($"2.safetensors: this is {says}, and a regular file is expected.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_file_can_be_opened()
    {
        await File.WriteAllBytesAsync(_folder["empty"], [], Token);
        await using FileSource source = FileSource.Open(_folder["empty"], "empty");
        Assert.Equal(0, source.Length);
    }

    [Fact]
    public async Task A_file_can_be_replaced_and_deleted_while_it_is_read()
    {
        await File.WriteAllTextAsync(_folder["f"], "old", Token);
        await using FileSource source = FileSource.Open(_folder["f"], "f");
        await File.WriteAllTextAsync(_folder["g"], "new", Token);
        File.Move(_folder["g"], _folder["f"], overwrite: true);
        File.Delete(_folder["f"]);
        Assert.Equal("old"u8.ToArray(), await source.ReadAsync(0, 3, Token));
    }

    // Written long before it is read: a system's clock for files may stand still for some milliseconds.
    private async Task<FileSource> OldFileAsync()
    {
        await File.WriteAllBytesAsync(_folder["f"], new byte[30_000], Token);
        File.SetLastWriteTimeUtc(_folder["f"], DateTime.UtcNow.AddHours(-1));
        return FileSource.Open(_folder["f"], "shown");
    }
}
