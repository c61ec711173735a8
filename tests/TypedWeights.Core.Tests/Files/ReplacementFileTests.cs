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
    public void The_new_file_has_the_permissions_of_the_old_one_whatever_the_umask(int mode)
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
    public void A_file_of_another_user_does_not_choose_the_permissions_of_the_one_that_replaces_it(string mode)
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
    public void A_link_that_is_replaced_does_not_choose_the_permissions()
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
    public void A_new_file_has_those_that_every_new_file_has()
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
    public void Bits_that_let_a_file_run_as_its_owner_are_not_kept()
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
    public void What_a_killed_process_left_is_removed_by_the_next_one_that_writes_the_file()
    {
        for (int i = 0; i < 3; i++)
        {
            Abandon(Target);
        }

        string[] left = Directory.GetFiles(_folder.Path);
        Abandon(Victim);
        string ofAnother = Assert.Single(Directory.GetFiles(_folder.Path).Except(left));

        Write(Target, "new");

        Assert.Single(left);
        Assert.Equal(new HashSet<string> { Target, ofAnother }, [.. Directory.GetFiles(_folder.Path)]);
        ReplacementFile.RemoveAbandoned(_folder.Path);
        Assert.Equal([Target], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void What_a_killed_process_left_is_removed_though_it_be_read_only()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes");
            return;
        }

        Abandon(Target);
        File.SetUnixFileMode(Assert.Single(Directory.GetFiles(_folder.Path)), UnixFileMode.UserRead);

        ReplacementFile.RemoveAbandonedOf(Target);

        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_file_that_somebody_put_in_the_place_of_the_temporary_one_neither_gets_the_name_nor_is_removed()
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
    public void An_error_of_the_system_names_the_file_and_not_the_temporary_one()
    {
        using var file = ReplacementFile.Create(Target);
        string temporary = Assert.Single(Directory.GetFiles(_folder.Path));

        IOException? named = ReplacementFile.Named(new IOException($"No space left on device : '{temporary}'", 28), Target);

        Assert.Equal(($"No space left on device : '{Target}'", 28), (named!.Message, named.HResult));
        Assert.Null(ReplacementFile.Named(new IOException($"No space left on device : '{temporary}'", 28), Victim));
        Assert.Null(ReplacementFile.Named(new IOException("No space left on device", 28), Target));
    }

    [Fact]
    public void What_another_is_writing_stays_and_each_becomes_the_file_whole()
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
    public void A_file_that_has_just_got_its_name_can_be_read_before_its_writer_has_let_go_of_it()
    {
        using var file = ReplacementFile.Create(Target);
        file.Stream.Write("new"u8);
        file.Stream.Flush();

        string temporary = Assert.Single(Directory.GetFiles(_folder.Path));

        using var reader = new FileStream(temporary, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        Assert.Equal(3, reader.Length);
    }

    [Fact]
    public void One_that_is_not_committed_leaves_the_old_file_and_nothing_beside_it()
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
    public void What_has_the_name_is_replaced_and_never_written_through(string kind)
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
    public void What_only_looks_like_a_temporary_file_of_ours_is_left_alone(string kind)
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
    public void What_another_put_in_the_place_of_the_temporary_file_never_gets_the_name()
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
    public void A_name_as_long_as_a_name_can_be_has_room_for_its_temporary_file()
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
