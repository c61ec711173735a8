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
    public async Task A_file_gets_its_name_only_when_it_is_whole_and_then_nothing_is_left_beside_it()
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
    public async Task A_new_download_resumes_a_partial_file_with_the_parts_that_are_already_written()
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
    public async Task A_part_whose_bytes_were_changed_on_disk_is_missing_again()
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
    public async Task Parts_that_never_reached_the_disk_are_missing_although_the_journal_lists_them()
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
    public async Task A_partial_file_of_another_file_or_version_is_not_resumed(string source, long length, string? validator, string reason)
    {
        await LeaveAsync(0, 1);

        await using PartialFile file = await PartialFile.OpenAsync(Target, new SourceIdentity(source, length, validator), _ => { }, Token);

        Assert.Contains(reason, file.StartedOver, StringComparison.Ordinal);
        Assert.Equal([(0L, length)], file.Missing);
        Assert.All(await file.ReadAsync(0, (int)length, Token), value => Assert.Equal(0, value));
    }

    [Fact]
    public async Task A_partial_file_without_a_validator_is_removed_and_not_resumed()
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
    public async Task A_partial_file_without_a_journal_or_with_another_length_is_started_again()
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
    public async Task A_second_download_of_the_same_file_at_the_same_time_is_refused()
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
    public async Task A_partial_file_that_is_empty_or_discarded_leaves_nothing_behind()
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
    public async Task A_file_without_bytes_can_be_published_at_once()
    {
        await using PartialFile file = await PartialFile.OpenAsync(Target, Identity with { Length = 0 }, _ => { }, Token);
        Assert.Empty(file.Missing);
        file.Publish();
        Assert.Equal(0, new FileInfo(Target).Length);
    }

    [Fact]
    public async Task A_download_through_a_link_keeps_the_link_and_the_permissions_of_its_target()
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
    public async Task A_target_that_is_not_a_regular_file_is_refused_with_the_reason()
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
    public async Task A_foreign_object_in_place_of_the_partial_file_is_refused_by_name(string kind)
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
    public async Task A_foreign_object_in_place_of_the_journal_is_not_read_as_a_journal(string kind)
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
    public async Task A_link_that_replaces_the_partial_file_during_a_download_never_gets_the_target_name()
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
    public async Task A_download_whose_partial_file_was_replaced_leaves_the_files_of_the_other_download_alone()
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
    public async Task A_download_that_ends_without_a_byte_leaves_the_partial_file_of_another_download()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows removes no file that is open");
        PartialFile first = await OpenAsync();
        File.Delete(Target + ".partial");
        File.Delete(Target + ".partial.jsonl");
        await using PartialFile second = await OpenAsync();
        await WriteAsync(second, 0);

        await first.DisposeAsync();

        Assert.True(File.Exists(Target + ".partial"));
        Assert.Single(PartJournal.Read(Target + ".partial.jsonl", Token).Parts);
    }

    [Fact]
    public async Task A_partial_file_stays_writable_after_it_could_not_replace_a_read_only_file()
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
    public async Task A_paused_or_published_file_is_unlocked_although_a_starting_process_has_copies_of_its_descriptors()
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
    public async Task A_kept_journal_has_the_permissions_that_it_had_beside_the_partial_file()
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
    public async Task A_download_into_a_cache_replaces_a_link_at_the_target_and_leaves_the_link_target_alone()
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
        Assert.Equal(5, PartJournal.Read(PartialFile.JournalOf(Target), Token).Parts.Count);
        Assert.Equal("precious", File.ReadAllText(_folder["victim"]));
        Assert.Equal(3, Directory.GetFiles(_folder.Path).Length);
    }

    [Theory]
    [InlineData("name.partial")]
    [InlineData("name.partial.jsonl")]
    public async Task A_partial_file_of_another_user_in_a_shared_folder_is_not_resumed(string name)
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

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_file_of_another_user_does_not_set_the_permissions_of_the_downloaded_file(bool isInCache, bool keepsOthersOut)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            Assert.Skip("only root can give a file to another user");
            return;
        }

        UnixFileMode usual = await PublishedAsync(_folder["usual"]);
        OddFile.OfAnotherUser(Target, "0666");
        OddFile.OfAnotherUser(PartialFile.JournalOf(Target), "0666");

        Assert.Equal(usual, await PublishedAsync(Target));
        Assert.Equal(usual, File.GetUnixFileMode(PartialFile.JournalOf(Target)));

        async Task<UnixFileMode> PublishedAsync(string target)
        {
            await using PartialFile file = await PartialFile.OpenAsync(target, Identity, _ => { }, Token, isInCache, keepsOthersOut);
            UnixFileMode mode = File.GetUnixFileMode(target + ".partial");
            foreach (int part in (int[])[0, 1, 2, 3, 4])
            {
                await WriteAsync(file, part);
            }

            file.Publish(keepsJournal: true);
            Assert.Equal(mode, File.GetUnixFileMode(target));
            return mode;
        }
    }

    [Fact]
    public void A_disk_that_is_too_small_is_reported_before_anything_is_written()
    {
        DiskSpace.ThrowUnlessRoom(Target, 1);
        WeightsException e = Assert.Throws<WeightsException>(() => DiskSpace.ThrowUnlessRoom(Target, long.MaxValue - 1));
        Assert.Contains($"{long.MaxValue - 1} more bytes are to be written", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_reported_with_the_target_path()
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
