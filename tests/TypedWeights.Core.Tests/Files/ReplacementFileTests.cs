using TypedWeights.Files;

namespace TypedWeights.Tests.Files;

public sealed class ReplacementFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Target => _folder["target"];

    private string Victim => _folder["victim"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0x1b6)] // 0666
    [InlineData(0x1ff)] // 0777
    [InlineData(0x1b4)] // 0664
    [InlineData(0x1b0)] // 0660
    [InlineData(0x180)] // 0600
    [InlineData(0x100)] // 0400
    [InlineData(0)]
    public void The_new_file_has_the_permissions_of_the_old_file_under_any_umask(int mode)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes");
            return;
        }

        File.WriteAllText(Target, "old");
        File.SetUnixFileMode(Target, (UnixFileMode)mode);

        Write(Target, "new");

        Assert.Equal((UnixFileMode)mode, File.GetUnixFileMode(Target));
        File.SetUnixFileMode(Target, UnixFileMode.UserRead);
        Assert.Equal("new", File.ReadAllText(Target));
    }

    [Theory]
    [InlineData("0666")]
    [InlineData("0600")]
    [InlineData("0777")]
    public void A_file_of_another_user_does_not_set_the_permissions_of_its_replacement(string mode)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            Assert.Skip("only root can give a file to another user");
            return;
        }

        File.WriteAllText(Victim, "");
        OddFile.OfAnotherUser(Target, mode);

        using (var file = ReplacementFile.Create(Target))
        {
            Assert.Equal(File.GetUnixFileMode(Victim), File.GetUnixFileMode(file.Stream.SafeFileHandle));
            file.Commit();
        }

        Assert.Equal(File.GetUnixFileMode(Victim), File.GetUnixFileMode(Target));
    }

    [Fact]
    public void A_link_that_is_replaced_does_not_set_the_permissions_of_the_new_file()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("links need a privilege on Windows");
            return;
        }

        File.WriteAllText(Victim, "precious");
        File.CreateSymbolicLink(Target, Victim);

        Write(Target, "new");

        Assert.Equal(File.GetUnixFileMode(Victim), File.GetUnixFileMode(Target));
    }

    [Fact]
    public void A_file_without_a_predecessor_has_the_default_permissions_of_new_files()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes");
            return;
        }

        File.WriteAllText(Victim, "");

        Write(Target, "new");

        Assert.Equal(File.GetUnixFileMode(Victim), File.GetUnixFileMode(Target));
    }

    [Fact]
    public void The_setuid_and_setgid_bits_of_the_old_file_are_not_kept()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes");
            return;
        }

        const UnixFileMode All = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        File.WriteAllText(Target, "old");
        File.SetUnixFileMode(Target, All | UnixFileMode.SetUser | UnixFileMode.SetGroup);

        Write(Target, "new");

        Assert.Equal(All, File.GetUnixFileMode(Target));
    }

    [Fact]
    public void The_temporary_files_of_killed_processes_are_removed_by_the_next_write_in_the_folder()
    {
        for (int i = 0; i < 3; i++)
        {
            Abandon(Target);
            Assert.Single(Directory.GetFiles(_folder.Path));
        }

        Abandon(Victim);
        Assert.Single(Directory.GetFiles(_folder.Path));

        Write(Target, "new");

        Assert.Equal([Target], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_read_only_temporary_file_of_a_killed_process_is_removed()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes");
            return;
        }

        Abandon(Target);
        File.SetUnixFileMode(Assert.Single(Directory.GetFiles(_folder.Path)), UnixFileMode.UserRead);

        ReplacementFile.RemoveAbandoned(_folder.Path);

        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_foreign_file_in_place_of_the_temporary_file_is_neither_renamed_nor_removed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows removes no file that is open");
        string temporary;
        using (var file = ReplacementFile.Create(Target))
        {
            temporary = Assert.Single(Directory.GetFiles(_folder.Path));
            File.Delete(temporary);
            File.WriteAllText(temporary, "another's");

            Assert.Throws<RefusedFileException>(file.Commit);
        }

        Assert.Equal([temporary], Directory.GetFiles(_folder.Path));
        Assert.Equal("another's", File.ReadAllText(temporary));
    }

    [Fact]
    public void An_error_of_the_system_names_the_target_and_not_the_temporary_file()
    {
        using var file = ReplacementFile.Create(Target);
        string temporary = Assert.Single(Directory.GetFiles(_folder.Path));

        IOException? named = file.Named(new IOException($"No space left on device : '{temporary}'", 28));

        Assert.Equal(($"No space left on device : '{Target}'", 28), (named!.Message, named.HResult));
        Assert.Null(file.Named(new IOException($"No space left on device : '{Victim}'", 28)));
        Assert.Null(file.Named(new IOException("No space left on device", 28)));
    }

    [Fact]
    public void Two_simultaneous_replacements_of_one_file_both_succeed_and_the_later_commit_stays()
    {
        using var first = ReplacementFile.Create(Target);
        first.Stream.Write("first"u8);
        using var second = ReplacementFile.Create(Target);
        second.Stream.Write("second"u8);
        ReplacementFile.RemoveAbandoned(_folder.Path);

        first.Commit();
        Assert.Equal("first", File.ReadAllText(Target));
        second.Commit();

        Assert.Equal("second", File.ReadAllText(Target));
        Assert.Equal([Target], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void The_file_can_be_read_while_its_writer_still_has_it_open()
    {
        using var file = ReplacementFile.Create(Target);
        file.Stream.Write("new"u8);
        file.Stream.Flush();

        string temporary = Assert.Single(Directory.GetFiles(_folder.Path));

        using var reader = new FileStream(temporary, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        Assert.Equal(3, reader.Length);
    }

    [Fact]
    public void A_replacement_that_is_not_committed_leaves_the_old_file_and_no_temporary_file()
    {
        File.WriteAllText(Target, "old");
        using (var file = ReplacementFile.Create(Target, length: 1000))
        {
            file.Stream.Write("new"u8);
        }

        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Equal([Target], Directory.GetFiles(_folder.Path));
    }

    [Theory]
    [MemberData(nameof(OddFile.Kinds), MemberType = typeof(OddFile))]
    public void A_link_or_pipe_at_the_target_is_replaced_and_never_written_through(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        File.WriteAllText(Victim, "precious");
        OddFile.Make(kind, Target, Victim);

        if (kind == OddFile.Folder)
        {
            Assert.ThrowsAny<IOException>(() => Write(Target, "new"));
        }
        else
        {
            Write(Target, "new");
            Assert.Equal("new", File.ReadAllText(Target));
            Assert.Null(new FileInfo(Target).LinkTarget);
        }

        Assert.Equal("precious", File.ReadAllText(Victim));
        Assert.Equal(2, Directory.GetFileSystemEntries(_folder.Path).Length);
    }

    [Theory]
    [MemberData(nameof(OddFile.Kinds), MemberType = typeof(OddFile))]
    public void An_object_that_only_has_the_name_of_a_temporary_file_is_left_alone(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        File.WriteAllText(Victim, "precious");
        Abandon(Target);
        string temporary = Assert.Single(Directory.GetFiles(_folder.Path).Except([Victim]));
        File.Delete(temporary);
        OddFile.Make(kind, temporary, Victim);

        Write(Target, "new");

        Assert.Equal("precious", File.ReadAllText(Victim));
        Assert.Equal("new", File.ReadAllText(Target));
        Assert.Equal(3, Directory.GetFileSystemEntries(_folder.Path).Length);
    }

    [Fact]
    public void A_link_in_place_of_the_temporary_file_never_gets_the_target_name()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege on Windows");
        File.WriteAllText(Victim, "precious");
        using var file = ReplacementFile.Create(Target);
        string temporary = Assert.Single(Directory.GetFiles(_folder.Path).Except([Victim]));
        File.Delete(temporary);
        File.CreateSymbolicLink(temporary, Victim);

        var e = Assert.Throws<RefusedFileException>(file.Commit);

        Assert.StartsWith(Target + ": ", e.Message, StringComparison.Ordinal);
        Assert.False(Path.Exists(Target));
        Assert.Equal("precious", File.ReadAllText(Victim));
    }

    [Fact]
    public void A_file_whose_name_has_the_greatest_length_can_be_replaced()
    {
        string longest = _folder[new string('n', 255)];

        Write(longest, "new");

        Assert.Equal("new", File.ReadAllText(longest));
    }

    private static void Write(string target, string text)
    {
        using var file = ReplacementFile.Create(target);
        file.Stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
        file.Commit();
    }

    // As the end of the process does: the file is closed and stays.
    private static void Abandon(string target)
    {
        var file = ReplacementFile.Create(target);
        file.Stream.Write("half"u8);
        file.Stream.Dispose();
    }
}
