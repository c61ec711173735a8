using System.Diagnostics;
using TypedWeights.Files;

namespace TypedWeights.Tests.Files;

public sealed class TargetFileTests : IDisposable
{
    private const string Digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    private const int Nobody = 65534;

    private readonly TempFolder _folder = new();
    private readonly string _root;

    public TargetFileTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege on Windows");
        _root = RealPath(_folder.Path);
    }

    public void Dispose() => _folder?.Dispose();

    [Fact]
    public void A_chain_of_links_resolves_to_the_file_at_its_end()
    {
        Make("kept/real");
        Link("kept/second", "real");
        Link("first", "kept/second");

        Assert.Equal(At("kept/real"), TargetFile.Of(At("first")));
        Assert.Equal(At("kept/real"), TargetFile.Of(At("kept/real")));
    }

    [Fact]
    public void A_link_to_a_missing_file_resolves_to_the_file_that_is_to_be_made()
    {
        Link("name", "absent");
        Link("astray", "no/such/folder");

        Assert.Equal(At("absent"), TargetFile.Of(At("name")));
        Assert.Throws<DirectoryNotFoundException>(() => TargetFile.Of(At("astray")));
    }

    [Fact]
    public void The_error_explains_why_the_folder_of_the_target_does_not_exist()
    {
        Link("gone", "no/such/folder");
        Link("loop", "loop");
        Make("file");
        OddFile.Make(OddFile.Pipe, At("pipe"), At("victim"));

        AssertNoFolder("gone/model", "gone is a link whose target is missing: no/such/folder (");
        AssertNoFolder("gone/below/model", "gone is a link whose target is missing: no/such/folder (");
        AssertNoFolder("loop/model", "loop is a symbolic link that leads back to itself through loop");
        AssertNoFolder("file/model", "file is not a folder");
        AssertNoFolder("pipe/below/model", "pipe is not a folder");
        AssertNoFolder("none/model", "create it first");

        foreach ((string path, string says) in (ReadOnlySpan<(string, string)>)[("loop", "leads back to itself"), ("file", "is not a folder")])
        {
            var e = Assert.Throws<IOException>(() => TargetFile.MakeFolderOf(At(path + "/model")));
            Assert.Contains(says, e.Message, StringComparison.Ordinal);
        }

        void AssertNoFolder(string path, string says)
        {
            var e = Assert.Throws<DirectoryNotFoundException>(() => TargetFile.Of(At(path)));
            Assert.Contains(says, e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_relative_link_in_a_linked_folder_is_resolved_from_the_real_folder()
    {
        Make("far/away/kept/real");
        Directory.CreateDirectory(At("far/away/folder"));
        Link("far/away/folder/name", "../kept/real");
        Link("near", "far/away/folder");

        Assert.Equal(At("far/away/kept/real"), TargetFile.Of(At("near/name")));
    }

    [Fact]
    public void A_circular_link_or_a_link_to_a_folder_is_an_error_that_names_the_path()
    {
        Link("a", "b");
        Link("b", "a");
        Link("folder", ".");

        Assert.Contains(At("a"), Assert.Throws<IOException>(() => TargetFile.Of(At("a"))).Message, StringComparison.Ordinal);
        Assert.Contains(
            At("folder") + " is a folder", Assert.Throws<IOException>(() => TargetFile.Of(At("folder"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hub/models--a--b/blobs/" + Digest)]
    [InlineData("hub/models--a--b/blobs/etag-of-a-mirror")]
    [InlineData("hub/models--a--b/blobs/ab/etag-of-a-mirror")]
    [InlineData("ollama/blobs/sha256-" + Digest)]
    [InlineData("annex/SHA256E-s100--" + Digest + ".safetensors")]
    [InlineData("dvc/files/md5/09/8f6bcd4621d373cade4e832627b4f6")]
    public void A_link_to_a_blob_of_the_hub_cache_resolves_to_itself(string blob)
    {
        Make(blob);
        Directory.CreateDirectory(At("hub/models--a--b/snapshots/1"));
        Link("hub/models--a--b/snapshots/1/model.safetensors", At(blob));
        Link("mine", "hub/models--a--b/snapshots/1/model.safetensors");
        Link("folder", "hub/models--a--b/snapshots/1");

        foreach (string path in (string[])["hub/models--a--b/snapshots/1/model.safetensors", "mine", "folder/model.safetensors"])
        {
            Assert.Equal(At(path), TargetFile.Of(At(path)));
        }

        // Also where the blob has gone.
        File.Delete(At(blob));
        Assert.Equal(At("mine"), TargetFile.Of(At("mine")));
    }

    [Theory]
    [InlineData(OddFile.Pipe)]
    [InlineData(OddFile.Socket)]
    [InlineData(OddFile.LinkToDevice)]
    public void A_pipe_or_device_at_the_target_is_refused(string kind)
    {
        OddFile.Make(kind, At("odd"), At("victim"));
        Link("link", "odd");

        foreach (string name in (string[])["odd", "link"])
        {
            var e = Assert.Throws<RefusedFileException>(() => TargetFile.Of(At(name)));
            Assert.Contains(At(name) + ": this is a pipe or device", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_missing_file_in_a_folder_below_dev_is_accepted_as_a_target()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Directory.Exists("/dev/shm"), "there is no /dev/shm");

        Assert.Equal("/dev/shm/typedweights-absent", TargetFile.Of("/dev/shm/typedweights-absent"));
    }

    [Theory]
    [InlineData("1777")]
    [InlineData("0777")]
    public async Task A_link_of_another_user_in_a_world_writable_folder_is_not_followed(string mode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can give a link to another user");
        Make("mine/precious");
        Directory.CreateDirectory(At("shared"));
        Link("shared/model", At("mine/precious"));
        await RunAsync("chown", "-h", $"{Nobody}:{Nobody}", At("shared/model"));
        Assert.Equal(At("mine/precious"), TargetFile.Of(At("shared/model")));

        await RunAsync("chmod", mode, At("shared"));

        var e = Assert.Throws<RefusedFileException>(() => TargetFile.Of(At("shared/model")));
        Assert.Contains($"is a symbolic link of another user (uid {Nobody})", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shared/out/model")]
    [InlineData("shared/out/deep/model")]
    [InlineData("own/model")]
    [InlineData("file")]
    public async Task A_folder_link_of_another_user_anywhere_on_the_path_is_not_followed(string path)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can give a link to another user");
        Make("mine/model");
        Make("mine/deep/model");
        Directory.CreateDirectory(At("shared"));
        Link("shared/out", At("mine"));
        Link("own", "shared/out");
        Link("file", At("shared/out/model"));
        await RunAsync("chown", "-h", $"{Nobody}:{Nobody}", At("shared/out"));
        Assert.StartsWith(At("mine"), RealPath(TargetFile.Of(At(path))), StringComparison.Ordinal);

        await RunAsync("chmod", "1777", At("shared"));

        var e = Assert.Throws<RefusedFileException>(() => TargetFile.Of(At(path)));
        Assert.Contains($"{At("shared/out")} is a symbolic link of another user (uid {Nobody})", e.Message, StringComparison.Ordinal);
        Assert.Throws<RefusedFileException>(() => TargetFile.MakeFolderOf(At(path)));
    }

    [Fact]
    public async Task No_folder_is_made_beyond_a_link_of_another_user()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can give a link to another user");
        Directory.CreateDirectory(At("mine"));
        Directory.CreateDirectory(At("shared"));
        Link("shared/out", At("mine"));
        await RunAsync("chown", "-h", $"{Nobody}:{Nobody}", At("shared/out"));
        await RunAsync("chmod", "1777", At("shared"));

        Assert.Throws<RefusedFileException>(() => TargetFile.MakeFolderOf(At("shared/out/new/model")));

        Assert.Empty(Directory.EnumerateFileSystemEntries(At("mine")));
    }

    [Fact]
    public async Task A_link_in_a_folder_of_another_user_below_a_world_writable_folder_is_not_followed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root can give a folder to another user");
        Make("mine/precious");
        Directory.CreateDirectory(At("shared/out"));
        Link("shared/out/model", At("mine/precious"));
        await RunAsync("chown", "-h", $"{Nobody}:{Nobody}", At("shared/out"), At("shared/out/model"));
        Assert.Equal(At("mine/precious"), TargetFile.Of(At("shared/out/model")));

        await RunAsync("chmod", "1777", At("shared"));

        Assert.Throws<RefusedFileException>(() => TargetFile.Of(At("shared/out/model")));
    }

    [Fact]
    public void A_link_of_this_user_in_a_world_writable_folder_is_followed()
    {
        Make("mine/model");
        Directory.CreateDirectory(At("shared"));
        Link("shared/out", At("mine"));
        Link("shared/file", At("mine/model"));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(At("shared"), (UnixFileMode)0x3ff);
        }

        Assert.Equal(At("shared/out/model"), TargetFile.Of(At("shared/out/model")));
        Assert.Equal(At("mine/model"), TargetFile.Of(At("shared/file")));
    }

    [Theory]
    [InlineData("../../blobs/etag")]
    [InlineData("../../blobs/ab/etag")]
    public void A_blob_of_the_hub_cache_is_recognised_although_the_blobs_folder_is_a_link(string blob)
    {
        Directory.CreateDirectory(At("hub/models--a--b/snapshots/1"));
        Make("disk/etag");
        Make("disk/ab/etag");
        Link("hub/models--a--b/blobs", At("disk"));
        Link("hub/models--a--b/snapshots/1/model.safetensors", blob);
        Link("mine", "hub/models--a--b/snapshots/1/model.safetensors");
        Link("folder", "hub/models--a--b/snapshots/1");

        foreach (string path in (string[])["hub/models--a--b/snapshots/1/model.safetensors", "mine", "folder/model.safetensors"])
        {
            Assert.Equal(At(path), TargetFile.Of(At(path)));
        }
    }

    private static string RealPath(string path) => PathWalk.EndOf(path).Last.Path;

    private string At(string name) => Path.Combine(_root, name);

    private void Make(string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), "content");
    }

    private void Link(string name, string target) => File.CreateSymbolicLink(At(name), target);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
    }
}
