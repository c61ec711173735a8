using System.Diagnostics;
using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Tests.Files;

public sealed class OwnFileTests : IDisposable
{
    private const int Nobody = 65534;

    private readonly TempFolder _folder = new();

    public OwnFileTests() => File.WriteAllText(Victim, "precious");

    private string Name => _folder["name"];

    private string Victim => _folder["victim"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(OddFile.Kinds), MemberType = typeof(OddFile))]
    public void A_path_that_is_not_a_plain_file_is_refused_by_name_and_left_unchanged(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        OddFile.Make(kind, Name, Victim);

        var open = Assert.Throws<RefusedFileException>(() => OwnFile.Open(Name, FileAccess.ReadWrite, FileShare.None));
        var create = Assert.Throws<RefusedFileException>(() => OwnFile.OpenOrCreate(Name, FileAccess.Write, FileShare.Read));
        Assert.ThrowsAny<IOException>(() => OwnFile.CreateNew(Name, FileAccess.Write, FileShare.None));

        Assert.StartsWith(Name + ": ", open.Message, StringComparison.Ordinal);
        Assert.StartsWith(Name + ": ", create.Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(Victim));
        Assert.False(File.Exists(Victim + ".absent"));
        Assert.Equal(kind == OddFile.HardLink, OwnFile.IsFile(Name));
    }

    [Fact]
    public void Opening_a_device_is_refused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other devices");

        var e = Assert.Throws<RefusedFileException>(() => OwnFile.Open("/dev/null", FileAccess.Read, FileShare.Read));

        Assert.Contains("/dev/null: this is a device", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_with_two_hard_links_can_be_read()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no ln on Windows");
        OddFile.Make(OddFile.HardLink, Name, Victim);

        using LockedFile file = OwnFile.Open(Name, FileAccess.Read, FileShare.Read);

        Assert.Equal(8, RandomAccess.GetLength(file.Handle));
    }

    [Fact]
    public void OpenOrCreate_creates_a_missing_file_and_opens_an_existing_file()
    {
        using (LockedFile made = OwnFile.OpenOrCreate(Name, FileAccess.ReadWrite, FileShare.None))
        {
            RandomAccess.Write(made.Handle, "abc"u8, 0);
        }

        using LockedFile again = OwnFile.OpenOrCreate(Name, FileAccess.ReadWrite, FileShare.None);

        Assert.Equal(3, RandomAccess.GetLength(again.Handle));
        Assert.Throws<FileNotFoundException>(() => OwnFile.Open(_folder["absent"], FileAccess.Read, FileShare.Read));
        Assert.Throws<DirectoryNotFoundException>(() => OwnFile.Open(_folder["absent/a"], FileAccess.Read, FileShare.Read));
        Assert.Throws<DirectoryNotFoundException>(() => OwnFile.OpenOrCreate(_folder["absent/a"], FileAccess.Write, FileShare.Read));
    }

    [Fact]
    public void A_file_opened_without_sharing_cannot_be_opened_a_second_time()
    {
        using (OwnFile.Open(Victim, FileAccess.ReadWrite, FileShare.None))
        {
            Assert.ThrowsAny<IOException>(() => OwnFile.Open(Victim, FileAccess.Read, FileShare.ReadWrite));
            Assert.ThrowsAny<IOException>(() => File.OpenHandle(Victim, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        }

        using (OwnFile.Open(Victim, FileAccess.Read, FileShare.ReadWrite))
        using (OwnFile.Open(Victim, FileAccess.Read, FileShare.ReadWrite))
        {
            IOException e = Assert.ThrowsAny<IOException>(() => OwnFile.Open(Victim, FileAccess.ReadWrite, FileShare.None));
            Assert.True(DiskFailure.IsLocked(e));
        }
    }

    [Theory]
    [InlineData(FileShare.None)]
    [InlineData(FileShare.ReadWrite | FileShare.Delete)]
    public void A_closed_file_is_unlocked_although_a_starting_process_has_a_copy_of_its_descriptor(FileShare share)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux lists the descriptors");
        LockedFile[] files = [OwnFile.Open(Victim, FileAccess.ReadWrite, share), OwnFile.CreateNew(Name, FileAccess.ReadWrite, share)];
        using var ofVictim = new CopiedDescriptors(Victim);
        using var ofName = new CopiedDescriptors(Name);

        Array.ForEach(files, file => file.Dispose());

        File.OpenHandle(Victim, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
        File.OpenHandle(Name, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
    }

    [Fact]
    public void An_open_file_that_was_replaced_on_disk_no_longer_has_its_name()
    {
        using LockedFile file = OwnFile.Open(Victim, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        Assert.True(file.HasItsName);

        File.WriteAllText(Name, "another");
        File.Move(Name, Victim, overwrite: true);

        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows tells only whether the name is there");
        Assert.False(file.HasItsName);
    }

    [Theory]
    [InlineData("0777")]
    [InlineData("1777")]
    [InlineData("0775")]
    public async Task A_file_of_another_user_is_refused_in_a_folder_that_others_may_write_to(string mode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can give a file to another user");
        await RunAsync("chown", $"{Nobody}:{Nobody}", Victim);
        await RunAsync("chown", $"0:{Nobody}", _folder.Path);
        await RunAsync("chmod", "0755", _folder.Path);
        OwnFile.Open(Victim, FileAccess.ReadWrite, FileShare.None, isThisUsers: true).Dispose();

        await RunAsync("chmod", mode, _folder.Path);

        OwnFile.Open(Victim, FileAccess.ReadWrite, FileShare.None).Dispose();
        var e = Assert.Throws<RefusedFileException>(() => OwnFile.Open(Victim, FileAccess.ReadWrite, FileShare.None, isThisUsers: true));
        Assert.Contains($"belongs to another user (uid {Nobody})", e.Message, StringComparison.Ordinal);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
    }
}
