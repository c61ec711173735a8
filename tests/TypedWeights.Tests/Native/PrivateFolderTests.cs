using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using TypedWeights.Native;
using TypedWeights.Tests.Native.Support;

namespace TypedWeights.Tests.Native;

[SupportedOSPlatform("linux")]
public sealed partial class PrivateFolderTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Everyone = (UnixFileMode)0x1ff;

    private readonly TempFolder _temp;

    public PrivateFolderTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Owners and modes are Linux's.");
        _temp = new TempFolder();
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherExecute)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_folder_that_is_open_to_others_is_refused(UnixFileMode more)
    {
        Directory.CreateDirectory(_temp["cache/native"], OwnerOnly);
        File.SetUnixFileMode(_temp["cache"], OwnerOnly);
        File.SetUnixFileMode(_temp["cache/native"], OwnerOnly | more);

        var e = Assert.Throws<UnauthorizedAccessException>(() => PatchedCopy.EnsureFolder(_temp.Path, "cache", "native", "digest"));

        Assert.StartsWith(_temp["cache/native"], e.Message, StringComparison.Ordinal);
        Assert.Contains("0700", e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_temp["cache/native/digest"]));
    }

    [Fact]
    public void A_link_in_place_of_the_private_folder_is_refused()
    {
        Directory.CreateDirectory(_temp["elsewhere"], OwnerOnly);
        Directory.CreateSymbolicLink(_temp["cache"], _temp["elsewhere"]);

        Assert.Throws<UnauthorizedAccessException>(() => PatchedCopy.EnsureFolder(_temp.Path, "cache"));
    }

    [Fact]
    public void A_file_in_place_of_the_private_folder_is_refused()
    {
        File.WriteAllText(_temp["cache"], "");
        Assert.ThrowsAny<IOException>(() => PatchedCopy.EnsureFolder(_temp.Path, "cache"));
    }

    [Fact]
    public void A_folder_that_others_may_rename_is_refused_unless_it_is_sticky()
    {
        Directory.CreateDirectory(_temp["open/root"], OwnerOnly);
        File.SetUnixFileMode(_temp["open"], Everyone);
        var e = Assert.Throws<UnauthorizedAccessException>(() => PatchedCopy.EnsureFolder(_temp["open/root"], "cache"));
        Assert.StartsWith(_temp["open"] + " ", e.Message, StringComparison.Ordinal);

        File.SetUnixFileMode(_temp["open"], Everyone | UnixFileMode.StickyBit);
        Assert.Equal(_temp["open/root/cache"], PatchedCopy.EnsureFolder(_temp["open/root"], "cache"));
    }

    [Fact]
    public void A_link_among_the_parent_folders_is_followed_and_its_target_is_checked()
    {
        Directory.CreateDirectory(_temp["open/root"], OwnerOnly);
        Directory.CreateSymbolicLink(_temp["link"], _temp["open/root"]);
        Assert.Equal(_temp["open/root/cache"], PatchedCopy.EnsureFolder(_temp["link"], "cache"));

        File.SetUnixFileMode(_temp["open"], Everyone);
        Assert.Throws<UnauthorizedAccessException>(() => PatchedCopy.EnsureFolder(_temp["link"], "cache"));
    }

    [Theory]
    [InlineData("cache")]
    [InlineData("")]
    public void A_folder_of_another_user_is_refused(string name)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can give a folder to another user.");
        Directory.CreateDirectory(_temp["root/cache"], OwnerOnly);
        File.SetUnixFileMode(_temp["root"], OwnerOnly);
        Assert.Equal(0, ChangeOwner(_temp[$"root/{name}"], 12345, 12345));

        Assert.Throws<UnauthorizedAccessException>(() => PatchedCopy.EnsureFolder(_temp["root"], "cache"));
    }

    [Fact]
    public void A_parent_that_cannot_hold_the_folder_is_an_IOException_that_names_it()
    {
        File.WriteAllText(_temp["file"], "");
        var e = Assert.ThrowsAny<IOException>(() => PatchedCopy.EnsureFolder(_temp["file/cache"], "typedweights"));
        Assert.Contains(_temp["file"], e.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _temp.Dispose();

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
