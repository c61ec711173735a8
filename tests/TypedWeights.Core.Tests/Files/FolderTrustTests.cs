using System.Runtime.InteropServices;
using TypedWeights.Files;

namespace TypedWeights.Tests.Files;

public sealed partial class FolderTrustTests : IDisposable
{
    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OthersWrite = UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
    private const uint SomebodyElse = 12345;
    private const uint NobodysGroup = 54321;

    private readonly TempFolder _temp;

    public FolderTrustTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Owners and modes are those of Unix.");
        _temp = new TempFolder();
        Directory.CreateDirectory(_temp["above/cache"]);
        Set("above", Own);
        Set("above/cache", Own);
    }

    [Fact]
    public void A_folder_that_only_this_user_may_write_to_is_trusted_even_before_it_exists()
    {
        Assert.Null(FolderTrust.Refuse(_temp["above/cache"]));
        Assert.Null(FolderTrust.Refuse(_temp["above/cache/to/come"]));

        Set("above/cache", Own | UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        Assert.Null(FolderTrust.Refuse(_temp["above/cache"]));
    }

    [Theory]
    [InlineData(UnixFileMode.None)]
    [InlineData(UnixFileMode.StickyBit)]
    public void A_folder_that_everybody_may_write_to_is_not_trusted_even_with_the_sticky_bit(UnixFileMode sticky)
    {
        Set("above/cache", Own | OthersWrite | sticky);

        Assert.StartsWith(_temp["above/cache"] + " can be written by other users (mode ", FolderTrust.Refuse(_temp["above/cache"]));
    }

    [Fact]
    public void A_folder_below_a_world_writable_folder_is_trusted_only_if_the_parent_has_the_sticky_bit()
    {
        Set("above", Own | OthersWrite);
        Assert.StartsWith(_temp["above"] + " can be written", FolderTrust.Refuse(_temp["above/cache"]));
        Assert.StartsWith(_temp["above"] + " can be written", FolderTrust.Refuse(_temp["above/to/come"]));

        Set("above", Own | OthersWrite | UnixFileMode.StickyBit);
        Assert.Null(FolderTrust.Refuse(_temp["above/cache"]));
    }

    [Fact]
    public void Trust_in_a_linked_folder_depends_on_every_folder_on_the_way_to_the_link_target()
    {
        Directory.CreateDirectory(_temp["open/cache"]);
        Set("open", Own);
        Set("open/cache", Own);
        Directory.CreateSymbolicLink(_temp["above/link"], "../open");
        Assert.Null(FolderTrust.Refuse(_temp["above/link/cache"]));

        Set("open", Own | OthersWrite);
        Assert.StartsWith(_temp["open"] + " can be written", FolderTrust.Refuse(_temp["above/link/cache"]));
    }

    [Fact]
    public void Circular_links_end_the_trust_check()
    {
        File.CreateSymbolicLink(_temp["above/one"], "two");
        File.CreateSymbolicLink(_temp["above/two"], "one");

        Assert.Null(FolderTrust.Refuse(_temp["above/one/cache"]));
    }

    [Theory]
    [InlineData("above/cache", "above/cache")]
    [InlineData("above", "above/cache")]
    [InlineData("link", "link/cache")]
    public void A_folder_or_link_of_another_user_is_not_trusted(string theirs, string folder)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can give a file to another user.");
        Directory.CreateSymbolicLink(_temp["link"], _temp["above"]);
        Assert.Equal(0, ChangeOwner(_temp[theirs], SomebodyElse, NobodysGroup));

        string? reason = FolderTrust.Refuse(_temp[folder]);

        Assert.StartsWith(_temp[theirs] + " ", reason);
        Assert.Contains("another user (uid 12345)", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_group_writable_folder_is_trusted_only_if_the_group_is_the_private_group_of_the_user()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can give a folder to any group.");
        Set("above/cache", Own | UnixFileMode.GroupWrite);
        Assert.Null(FolderTrust.Refuse(_temp["above/cache"]));

        Assert.Equal(0, ChangeOwner(_temp["above/cache"], 0, NobodysGroup));
        Assert.Contains("can be written by other users", FolderTrust.Refuse(_temp["above/cache"]));
    }

    [Theory]
    [InlineData("anna", true)]
    [InlineData("anna", true, "anna")]
    [InlineData("root", true)]
    [InlineData("anna", false, "anna", "ben")]
    [InlineData("root", false, "ben")]
    [InlineData("staff", false)]
    [InlineData("", false)]
    public void A_group_is_private_if_it_has_the_name_of_the_user_and_no_other_member(string group, bool isPrivate, params string[] members) =>
        Assert.Equal(isPrivate, FolderTrust.IsPrivateGroup(group, members, "anna"));

    [Fact]
    public void The_users_with_a_given_primary_group_are_read_from_the_user_database()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "macOS keeps its users elsewhere.");
        IEnumerable<IGrouping<uint, string>> groups = File.ReadAllLines("/etc/passwd").Select(static line => line.Split(':'))
            .Where(static user => user.Length > 3).GroupBy(static user => uint.Parse(user[3]), static user => user[0]);
        foreach (IGrouping<uint, string> group in groups)
        {
            // The system may know of more users than this file.
            Assert.Subset(LibC.UsersOfGroup(group.Key)!.ToHashSet(), group.ToHashSet());
        }

        Assert.Contains("root", LibC.UsersOfGroup(0)!);
        Assert.Empty(LibC.UsersOfGroup(NobodysGroup)!);
    }

    public void Dispose() => _temp.Dispose();

    private void Set(string name, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_temp[name], mode);
        }
    }

    // Of a link itself.
    [LibraryImport("libc", EntryPoint = "lchown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
