using System.Diagnostics;
using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Tests.Downloads;

public sealed class PartialFileTests : IDisposable
{
    private const int Part = 1000;

    private static readonly SourceIdentity Identity = new("http://host/a", 5 * Part, "\"1\"");
    private static readonly byte[] Bytes = TestFile.Noise("a", "U8", 8, 5 * Part).Data;

    private readonly TempFolder _folder = new();

    private string Target => _folder["a"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_file_has_its_name_when_it_is_whole_and_then_nothing_is_beside_it()
    {
        File.WriteAllText(Target, "before");
        await using PartialFile file = await OpenAsync();
        foreach (int part in (int[])[3, 0, 4, 2])
        {
            await WriteAsync(file, part);
        }

        Assert.Throws<InvalidOperationException>(() => file.Publish());
        Assert.Equal([(1L * Part, (long)Part)], file.Missing);
        Assert.Equal("before", File.ReadAllText(Target));

        await WriteAsync(file, 1);
        await file.FlushAsync(Token);
        Assert.Equal("before", File.ReadAllText(Target));
        file.Publish();

        Assert.Equal(Bytes, File.ReadAllBytes(Target));
        await file.DisposeAsync();
        Assert.Equal([Target], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task The_next_one_goes_on_with_what_is_there()
    {
        await LeaveAsync(0, 3);

        long verified = 0;
        await using PartialFile file = await PartialFile.OpenAsync(Target, Identity, bytes => verified += bytes, Token);

        Assert.Null(file.StartedOver);
        Assert.Equal(2 * Part, verified);
        Assert.Equal([(1L * Part, 2L * Part), (4L * Part, (long)Part)], file.Missing);
        await FinishAsync(file, 1, 2, 4);
        Assert.Equal(Bytes, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_part_that_is_not_what_was_written_is_missing_again()
    {
        await LeaveAsync(0, 1, 2);
        using (FileStream stream = File.OpenWrite(Target + ".partial"))
        {
            stream.Position = Part + 500;
            stream.WriteByte((byte)~Bytes[Part + 500]);
        }

        await using PartialFile file = await OpenAsync();

        Assert.Equal([(1L * Part, (long)Part), (3L * Part, 2L * Part)], file.Missing);
        await FinishAsync(file, 1, 3, 4);
        Assert.Equal(Bytes, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task Parts_that_never_reached_the_disk_are_missing_whatever_the_journal_says()
    {
        await LeaveAsync(0, 1, 2, 3, 4);
        File.WriteAllBytes(Target + ".partial", new byte[5 * Part]);

        await using PartialFile file = await OpenAsync();

        Assert.Equal([(0L, 5L * Part)], file.Missing);
    }

    [Theory]
    [InlineData("http://host/a", 5 * Part, "\"2\"", "changed at its source")]
    [InlineData("http://host/a", 5 * Part, null, "changed at its source")]
    [InlineData("http://host/a", 4 * Part, "\"1\"", "changed at its source")]
    [InlineData("http://host/b", 5 * Part, "\"1\"", "a part of http://host/a")]
    public async Task What_is_left_of_another_file_is_not_gone_on_with(string source, long length, string? validator, string reason)
    {
        await LeaveAsync(0, 1);

        await using PartialFile file = await PartialFile.OpenAsync(Target, new SourceIdentity(source, length, validator), _ => { }, Token);

        Assert.Contains(reason, file.StartedOver, StringComparison.Ordinal);
        Assert.Equal([(0L, length)], file.Missing);
        Assert.All(await file.ReadAsync(0, (int)length, Token), value => Assert.Equal(0, value));
    }

    [Fact]
    public async Task Without_a_validator_nothing_stays_to_go_on_with()
    {
        SourceIdentity uncertain = Identity with { Validator = null };
        await using (PartialFile file = await PartialFile.OpenAsync(Target, uncertain, _ => { }, Token))
        {
            await WriteAsync(file, 0);
            Assert.False(file.CanResume);
            File.Copy(Target + ".partial.jsonl", _folder["journal"]);
        }

        Assert.Equal([_folder["journal"]], Directory.GetFiles(_folder.Path));

        // As after a sudden end.
        File.Move(_folder["journal"], Target + ".partial.jsonl");
        File.WriteAllBytes(Target + ".partial", Bytes);
        await using PartialFile next = await PartialFile.OpenAsync(Target, uncertain, _ => { }, Token);
        Assert.Contains("no ETag", next.StartedOver, StringComparison.Ordinal);
        Assert.Equal([(0L, 5L * Part)], next.Missing);
    }

    [Fact]
    public async Task A_partial_file_without_its_journal_or_of_another_length_is_begun_anew()
    {
        await LeaveAsync(0, 1);
        File.Delete(Target + ".partial.jsonl");
        await using (PartialFile file = await OpenAsync())
        {
            Assert.Equal("nothing says what is in it", file.StartedOver);
        }

        await LeaveAsync(0, 1);
        using (FileStream stream = File.OpenWrite(Target + ".partial"))
        {
            stream.SetLength(2 * Part);
        }

        await using (PartialFile file = await OpenAsync())
        {
            Assert.Equal("it has another length than it was given", file.StartedOver);
            Assert.Equal([(0L, 5L * Part)], file.Missing);
        }
    }

    [Fact]
    public async Task Two_at_once_are_one_too_many()
    {
        await using (PartialFile first = await OpenAsync())
        {
            await WriteAsync(first, 0);
            WeightsException e = await Assert.ThrowsAsync<WeightsException>(() => OpenAsync().AsTask());
            Assert.Contains("another download is writing this file", e.Message, StringComparison.Ordinal);
            Assert.Equal(Part, first.Finished);
        }

        await using PartialFile second = await OpenAsync();
        Assert.Equal(Part, second.Finished);
    }

    [Fact]
    public async Task Nothing_stays_where_nothing_was_written_or_what_was_is_of_no_use()
    {
        await (await OpenAsync()).DisposeAsync();
        Assert.Empty(Directory.GetFiles(_folder.Path));

        await using PartialFile file = await OpenAsync();
        await WriteAsync(file, 0);
        file.Discard();
        await file.DisposeAsync();
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_file_without_bytes_is_whole_at_once()
    {
        await using PartialFile file = await PartialFile.OpenAsync(Target, Identity with { Length = 0 }, _ => { }, Token);
        Assert.Empty(file.Missing);
        file.Publish();
        Assert.Equal(0, new FileInfo(Target).Length);
    }

    [Fact]
    public async Task Permissions_and_links_stay()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has other permissions, and links are for administrators");
            return;
        }

        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        File.WriteAllText(_folder["real"], "before");
        File.SetUnixFileMode(_folder["real"], Private);
        File.CreateSymbolicLink(Target, _folder["real"]);

        await using PartialFile file = await OpenAsync();
        Assert.Equal(Private, File.GetUnixFileMode(_folder["real.partial"]));
        await FinishAsync(file, 0, 1, 2, 3, 4);

        Assert.NotNull(new FileInfo(Target).LinkTarget);
        Assert.Equal(Bytes, File.ReadAllBytes(_folder["real"]));
        Assert.Equal(Private, File.GetUnixFileMode(_folder["real"]));
    }

    [Fact]
    public async Task What_is_no_file_is_refused_as_it_is()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no mkfifo on Windows");
        Directory.CreateDirectory(_folder["folder"]);
        OddFile.Make(OddFile.Pipe, _folder["pipe"], "");

        (string Path, string Says)[] cases =
        [
            (_folder["folder"], "is a folder"),
            (_folder["pipe"], "is a pipe or device"),
            ("/dev/null", "is a pipe or device"),
            (_folder["absent/a"], "no folder"),

            // The modes of /sys let root write there, and the system refuses all the same.
            ("/sys/a", Environment.IsPrivilegedProcess ? "this user may not write there" : "this user may not write to the folder /sys"),
        ];
        foreach ((string path, string says) in cases)
        {
            WeightsException e = await Assert.ThrowsAsync<WeightsException>(
                () => PartialFile.OpenAsync(path, Identity, _ => { }, Token).AsTask());
            Assert.Contains(path, e.Message, StringComparison.Ordinal);
            Assert.Contains(says, e.Message, StringComparison.Ordinal);
        }

        Assert.Equal(["folder", "pipe"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order());
    }

    [Theory]
    [MemberData(nameof(OddFile.Kinds), MemberType = typeof(OddFile))]
    public async Task What_somebody_put_in_the_place_of_the_partial_file_is_refused_by_its_name(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        File.WriteAllText(_folder["victim"], "precious");
        OddFile.Make(kind, Target + ".partial", _folder["victim"]);

        foreach (bool isInCache in (bool[])[false, true])
        {
            WeightsException e = await Assert.ThrowsAsync<WeightsException>(
                () => PartialFile.OpenAsync(Target, Identity, _ => { }, Token, isInCache).AsTask());
            Assert.StartsWith(Target + ".partial: ", e.Message, StringComparison.Ordinal);
        }

        Assert.Equal("precious", File.ReadAllText(_folder["victim"]));
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder.Path).Length);
    }

    [Theory]
    [MemberData(nameof(OddFile.Kinds), MemberType = typeof(OddFile))]
    public async Task What_somebody_put_in_the_place_of_the_journal_counts_as_none(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        await LeaveAsync(0, 1);
        File.Delete(Target + ".partial.jsonl");
        File.WriteAllText(_folder["victim"], "precious");
        OddFile.Make(kind, Target + ".partial.jsonl", _folder["victim"]);

        if (kind == OddFile.Folder)
        {
            WeightsException e = await Assert.ThrowsAsync<WeightsException>(() => OpenAsync().AsTask());
            Assert.StartsWith(Target + ".partial.jsonl: this is a folder", e.Message, StringComparison.Ordinal);
            return;
        }

        await using PartialFile file = await OpenAsync();
        Assert.Equal("nothing says what is in it", file.StartedOver);
        await FinishAsync(file, 0, 1, 2, 3, 4);

        Assert.Equal(Bytes, File.ReadAllBytes(Target));
        Assert.Equal("precious", File.ReadAllText(_folder["victim"]));
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder.Path).Length);
    }

    [Fact]
    public async Task A_link_that_somebody_put_in_its_place_meanwhile_never_gets_the_name()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege on Windows");
        File.WriteAllText(_folder["victim"], "precious");
        await using PartialFile file = await OpenAsync();
        foreach (int part in (int[])[0, 1, 2, 3, 4])
        {
            await WriteAsync(file, part);
        }

        File.Delete(Target + ".partial");
        File.CreateSymbolicLink(Target + ".partial", _folder["victim"]);

        WeightsException e = Assert.Throws<WeightsException>(() => file.Publish());
        Assert.StartsWith(Target + ".partial: ", e.Message, StringComparison.Ordinal);
        Assert.False(Path.Exists(Target));
        Assert.Equal("precious", File.ReadAllText(_folder["victim"]));
    }

    [Fact]
    public async Task A_download_whose_partial_file_another_one_replaced_renames_and_removes_nothing_of_the_other_one()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows removes no file that is open");
        await using PartialFile first = await OpenAsync();
        await WriteAsync(first, 0);
        File.Delete(Target + ".partial");
        File.Delete(Target + ".partial.jsonl");
        await using PartialFile second = await OpenAsync();
        await WriteAsync(second, 3);
        foreach (int part in (int[])[1, 2, 3, 4])
        {
            await WriteAsync(first, part);
        }

        WeightsException e = Assert.Throws<WeightsException>(() => first.Publish());
        Assert.StartsWith(Target + ".partial: ", e.Message, StringComparison.Ordinal);
        Assert.Contains("another download", e.Message, StringComparison.Ordinal);
        Assert.False(Path.Exists(Target));

        first.Discard();
        await first.DisposeAsync();
        Assert.Equal([Target + ".partial", Target + ".partial.jsonl"], Directory.GetFiles(_folder.Path).Order(StringComparer.Ordinal));

        await FinishAsync(second, 0, 1, 2, 4);
        Assert.Equal(Bytes, File.ReadAllBytes(Target));
    }

    [Fact]
    public async Task A_download_that_ends_without_a_byte_leaves_the_partial_file_of_another_one()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows removes no file that is open");
        PartialFile first = await OpenAsync();
        File.Delete(Target + ".partial");
        File.Delete(Target + ".partial.jsonl");
        await using PartialFile second = await OpenAsync();
        await WriteAsync(second, 0);

        await first.DisposeAsync();

        Assert.True(File.Exists(Target + ".partial"));
        Assert.Single(PartJournal.Read(Target + ".partial.jsonl").Parts);
    }

    [Fact]
    public async Task A_file_that_could_not_get_its_name_can_still_be_written_to_where_it_replaces_a_read_only_one()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes");
            return;
        }

        File.WriteAllText(Target, "old");
        File.SetUnixFileMode(Target, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        string obstacle = Directory.CreateDirectory(Path.Combine(PartialFile.JournalOf(Target), "in the way")).FullName;
        await using (PartialFile file = await OpenAsync())
        {
            foreach (int part in (int[])[0, 1, 2, 3, 4])
            {
                await WriteAsync(file, part);
            }

            Assert.Throws<WeightsException>(() => file.Publish(keepsJournal: true));
        }

        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(Target + ".partial"));
        Directory.Delete(Path.GetDirectoryName(obstacle)!, recursive: true);
        await using PartialFile again = await OpenAsync();
        Assert.Empty(again.Missing);
        again.Publish(keepsJournal: true);
        Assert.Equal(Bytes, File.ReadAllBytes(Target));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead, File.GetUnixFileMode(Target));
    }

    [Fact]
    public async Task A_file_that_is_paused_or_has_its_name_is_free_while_a_process_that_is_being_started_has_copies_of_its_descriptors()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux lists the descriptors");
        await LeaveAsync(0, 1);
        await using PartialFile file = await OpenAsync();
        using (new CopiedDescriptors(file.PartialPath))
        using (new CopiedDescriptors(Target + ".partial.jsonl"))
        {
            file.Pause();
            OpenAlone(Target + ".partial.jsonl");
            file.Resume();
        }

        foreach (int part in (int[])[2, 3, 4])
        {
            await WriteAsync(file, part);
        }

        using var copies = new CopiedDescriptors(file.PartialPath);
        file.Publish();
        OpenAlone(Target);

        static void OpenAlone(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
    }

    [Fact]
    public async Task A_journal_that_is_kept_has_the_permissions_that_it_had_while_the_file_was_partial()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes");
            return;
        }

        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using PartialFile file = await PartialFile.OpenAsync(Target, Identity, null, Token, isInCache: true);
        File.SetUnixFileMode(Target + ".partial", Private);
        File.SetUnixFileMode(Target + ".partial.jsonl", Private);
        foreach (int part in (int[])[0, 1, 2, 3, 4])
        {
            await WriteAsync(file, part);
        }

        file.Publish(keepsJournal: true);

        Assert.Equal(Private, File.GetUnixFileMode(Target));
        Assert.Equal(Private, File.GetUnixFileMode(PartialFile.JournalOf(Target)));
    }

    [Fact]
    public async Task In_a_cache_a_link_in_the_place_of_the_file_is_replaced_and_its_target_left_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege on Windows");
        File.WriteAllText(_folder["victim"], "precious");
        File.CreateSymbolicLink(Target, _folder["victim"]);
        File.CreateSymbolicLink(PartialFile.JournalOf(Target), _folder["victim"]);

        await using PartialFile file = await PartialFile.OpenAsync(Target, Identity, null, Token, isInCache: true);
        foreach (int part in (int[])[0, 1, 2, 3, 4])
        {
            await WriteAsync(file, part);
        }

        await file.FlushAsync(Token);
        file.Publish(keepsJournal: true);

        Assert.Equal(Bytes, File.ReadAllBytes(Target));
        Assert.Equal(5, PartJournal.Read(PartialFile.JournalOf(Target)).Parts.Count);
        Assert.Equal("precious", File.ReadAllText(_folder["victim"]));
        Assert.Equal(3, Directory.GetFiles(_folder.Path).Length);
    }

    [Theory]
    [InlineData("name.partial")]
    [InlineData("name.partial.jsonl")]
    public async Task What_another_user_left_where_everybody_may_write_is_not_gone_on_with(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can give a file to another user");
        string target = _folder["name"];
        await using (PartialFile file = await PartialFile.OpenAsync(target, Identity, _ => { }, Token))
        {
            await WriteAsync(file, 0);
        }

        using (Process chown = Process.Start("chown", ["65534:65534", _folder[name]]))
        using (Process chmod = Process.Start("chmod", ["0777", _folder.Path]))
        {
            await chown.WaitForExitAsync(Token);
            await chmod.WaitForExitAsync(Token);
        }

        if (name == "name.partial")
        {
            WeightsException e = await Assert.ThrowsAsync<WeightsException>(
                () => PartialFile.OpenAsync(target, Identity, _ => { }, Token).AsTask());
            Assert.Contains("belongs to another user (uid 65534)", e.Message, StringComparison.Ordinal);
        }
        else
        {
            await using PartialFile next = await PartialFile.OpenAsync(target, Identity, _ => { }, Token);
            Assert.Equal(0, next.Finished);
        }
    }

    [Fact]
    public void A_disk_that_is_too_small_is_told_beforehand()
    {
        DiskSpace.ThrowUnlessRoom(Target, 1);
        WeightsException e = Assert.Throws<WeightsException>(() => DiskSpace.ThrowUnlessRoom(Target, long.MaxValue - 1));
        Assert.Contains($"{long.MaxValue - 1} more bytes are to be written", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_told_as_such()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "there is no /dev/full here");
        var full = await Assert.ThrowsAnyAsync<IOException>(() => File.WriteAllBytesAsync("/dev/full", Bytes, Token));
        Assert.Equal($"{Target}: the disk is full.", DiskFailure.Of(full, Target).Message);
    }

    private ValueTask<PartialFile> OpenAsync() => PartialFile.OpenAsync(Target, Identity, _ => { }, Token);

    private static ValueTask WriteAsync(PartialFile file, int part) =>
        file.WriteAsync(part * Part, Bytes.AsMemory(part * Part, Part), Token);

    private async Task LeaveAsync(params int[] parts)
    {
        await using PartialFile file = await OpenAsync();
        foreach (int part in parts)
        {
            await WriteAsync(file, part);
        }
    }

    private static async Task FinishAsync(PartialFile file, params int[] parts)
    {
        foreach (int part in parts)
        {
            await WriteAsync(file, part);
        }

        await file.FlushAsync(Token);
        file.Publish();
    }
}
