using System.Diagnostics;
using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Tests.Downloads;

/// <summary>Where a download goes: through links, beside other objects, with which permissions, and onto a disk that is full.</summary>
public sealed class PartialFileTargetTests : PartialFileTest
{
    [Fact]
    public async Task A_download_through_a_link_keeps_the_link_and_the_permissions_of_its_target()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has other permissions, and links are for administrators");
            return;
        }

        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        File.WriteAllText(Folder["real"], "before");
        File.SetUnixFileMode(Folder["real"], Private);
        File.CreateSymbolicLink(Target, Folder["real"]);

        await using PartialFile file = await OpenAsync();
        Assert.Equal(Private, File.GetUnixFileMode(Folder["real.partial"]));
        await FinishAsync(file, 0, 1, 2, 3, 4);

        Assert.NotNull(new FileInfo(Target).LinkTarget);
        Assert.Equal(Bytes, File.ReadAllBytes(Folder["real"]));
        Assert.Equal(Private, File.GetUnixFileMode(Folder["real"]));
    }

    [Fact]
    public async Task A_target_that_is_not_a_regular_file_is_refused_with_the_reason()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no mkfifo on Windows");
        Directory.CreateDirectory(Folder["folder"]);
        OddFile.Make(OddFile.Pipe, Folder["pipe"], "");

        (string Path, string Says)[] cases =
        [
            (Folder["folder"], "is a folder"),
            (Folder["pipe"], "is a pipe or device"),
            ("/dev/null", "is a pipe or device"),
            (Folder["absent/a"], "does not exist; create it first"),

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

        Assert.Equal(["folder", "pipe"], Directory.GetFileSystemEntries(Folder.Path).Select(Path.GetFileName).Order());
    }

    [Theory]
    [MemberData(nameof(OddFile.Kinds), MemberType = typeof(OddFile))]
    public async Task A_foreign_object_in_place_of_the_partial_file_is_refused_by_name(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        File.WriteAllText(Folder["victim"], "precious");
        OddFile.Make(kind, Target + ".partial", Folder["victim"]);

        foreach (Func<ValueTask<PartialFile>> open in (Func<ValueTask<PartialFile>>[])
            [OpenAsync, () => PartialFile.OpenCopyAsync(Target + ".partial", Identity, keepsOthersOut: true, Token)])
        {
            WeightsException e = await Assert.ThrowsAsync<WeightsException>(() => open().AsTask());
            Assert.StartsWith(Target + ".partial: ", e.Message, StringComparison.Ordinal);
        }

        Assert.Equal("precious", File.ReadAllText(Folder["victim"]));
        Assert.Equal(2, Directory.GetFileSystemEntries(Folder.Path).Length);
    }

    [Theory]
    [MemberData(nameof(OddFile.Kinds), MemberType = typeof(OddFile))]
    public async Task A_foreign_object_in_place_of_the_journal_is_not_read_as_a_journal(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        await LeaveAsync(0, 1);
        File.Delete(Target + ".partial.jsonl");
        File.WriteAllText(Folder["victim"], "precious");
        OddFile.Make(kind, Target + ".partial.jsonl", Folder["victim"]);

        if (kind == OddFile.Folder)
        {
            WeightsException e = await Assert.ThrowsAsync<WeightsException>(() => OpenAsync().AsTask());
            Assert.StartsWith(Target + ".partial.jsonl: this is a folder", e.Message, StringComparison.Ordinal);
            return;
        }

        await using PartialFile file = await OpenAsync();
        Assert.Equal("nothing describes its content", file.StartedOver);
        await FinishAsync(file, 0, 1, 2, 3, 4);

        Assert.Equal(Bytes, File.ReadAllBytes(Target));
        Assert.Equal("precious", File.ReadAllText(Folder["victim"]));
        Assert.Equal(2, Directory.GetFileSystemEntries(Folder.Path).Length);
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
        await using (PartialFile file = await OpenAsync())
        {
            foreach (int part in (int[])[0, 1, 2, 3, 4])
            {
                await WriteAsync(file, part);
            }

            File.Delete(Target);
            Directory.CreateDirectory(Target + "/in the way");
            Assert.Throws<WeightsException>(() => file.Publish());
        }

        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(Target + ".partial"));
        Directory.Delete(Target, recursive: true);
        File.WriteAllText(Target, "old");
        File.SetUnixFileMode(Target, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        await using PartialFile again = await OpenAsync();
        Assert.Empty(again.Missing);
        again.Publish();
        Assert.Equal(Bytes, File.ReadAllBytes(Target));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead, File.GetUnixFileMode(Target));
    }

    [Fact]
    public async Task A_file_of_another_user_does_not_set_the_permissions_of_the_downloaded_file()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            Assert.Skip("only root can give a file to another user");
            return;
        }

        UnixFileMode usual = await PublishedAsync(Folder["usual"]);
        OddFile.OfAnotherUser(Target, "0666");

        Assert.Equal(usual, await PublishedAsync(Target));

        async Task<UnixFileMode> PublishedAsync(string target)
        {
            await using PartialFile file = await PartialFile.OpenAsync(target, Identity, _ => { }, Token);
            UnixFileMode mode = File.GetUnixFileMode(file.Path);
            await FinishAsync(file, 0, 1, 2, 3, 4);
            Assert.Equal(mode, File.GetUnixFileMode(target));
            return mode;
        }
    }

    [Fact]
    public void A_disk_that_is_too_small_is_reported_before_anything_is_written()
    {
        DiskSpace.ThrowUnlessRoom(Target, 1);
        WeightsException e = Assert.Throws<WeightsException>(() => DiskSpace.ThrowUnlessRoom(Target, long.MaxValue - 1));
        Assert.Contains($"{long.MaxValue - 1} more bytes are needed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_reported_with_the_target_path()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "there is no /dev/full here");
        var full = await Assert.ThrowsAnyAsync<IOException>(() => File.WriteAllBytesAsync("/dev/full", Bytes, Token));
        Assert.Equal($"{Target}: the disk is full.", DiskFailure.Of(full, Target).Message);
    }
}
