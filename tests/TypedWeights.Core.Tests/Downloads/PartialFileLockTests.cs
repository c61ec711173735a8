using System.Diagnostics;
using TypedWeights.Downloads;

namespace TypedWeights.Tests.Downloads;

/// <summary>Several downloads and several users with the same partial file.</summary>
public sealed class PartialFileLockTests : PartialFileTest
{
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
    public async Task A_link_that_replaces_the_partial_file_during_a_download_never_gets_the_target_name()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege on Windows");
        File.WriteAllText(Folder["victim"], "precious");
        await using PartialFile file = await OpenAsync();
        foreach (int part in (int[])[0, 1, 2, 3, 4])
        {
            await WriteAsync(file, part);
        }

        File.Delete(Target + ".partial");
        File.CreateSymbolicLink(Target + ".partial", Folder["victim"]);

        WeightsException e = Assert.Throws<WeightsException>(() => file.Publish());
        Assert.StartsWith(Target + ".partial: ", e.Message, StringComparison.Ordinal);
        Assert.False(Path.Exists(Target));
        Assert.Equal("precious", File.ReadAllText(Folder["victim"]));
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
        Assert.Equal([Target + ".partial", Target + ".partial.jsonl"], Directory.GetFiles(Folder.Path).Order(StringComparer.Ordinal));

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
    public async Task A_paused_or_published_file_is_unlocked_although_a_starting_process_has_copies_of_its_descriptors()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux lists the descriptors");
        await LeaveAsync(0, 1);
        await using PartialFile file = await OpenAsync();
        using (new CopiedDescriptors(file.Path))
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

        using var copies = new CopiedDescriptors(file.Path);
        file.Publish();
        OpenAlone(Target);

        static void OpenAlone(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
    }

    [Theory]
    [InlineData("name.partial")]
    [InlineData("name.partial.jsonl")]
    public async Task A_partial_file_of_another_user_in_a_sharedFolder_is_not_resumed(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can give a file to another user");
        string target = Folder["name"];
        await using (PartialFile file = await PartialFile.OpenAsync(target, Identity, _ => { }, Token))
        {
            await WriteAsync(file, 0);
        }

        using (Process chown = Process.Start("chown", ["65534:65534", Folder[name]]))
        using (Process chmod = Process.Start("chmod", ["0777", Folder.Path]))
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
}
