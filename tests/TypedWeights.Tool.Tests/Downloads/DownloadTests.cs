using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Downloads;

/// <summary>What a download writes and prints.</summary>
public sealed class DownloadTests : DownloadTest
{
    [Fact]
    public async Task A_downloaded_file_has_the_bytes_of_the_file_on_the_server()
    {
        Server.Files["/m/net.safetensors"] = Model;

        ToolRun run = await RunAsync("download", $"{Server.Address}/m/net.safetensors", "net.safetensors");

        Assert.Equal((0, ""), (run.ExitCode, run.Out));
        Assert.Matches(@"^wrote net\.safetensors: 7\.00 MB in \d+\.\d s, .+/s\n$", run.Error);
        Assert.Equal(Model, Read("net.safetensors"));
        Assert.Equal(["net.safetensors"], Left());
    }

    [Fact]
    public async Task A_quiet_download_prints_nothing_but_errors()
    {
        Server.Files["/net.safetensors"] = Model;

        ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors", "--quiet");
        ToolRun absent = await RunAsync("download", $"{Server.Address}/absent.safetensors", "absent.safetensors", "--quiet");

        Assert.Equal((0, ""), (run.ExitCode, run.All));
        Assert.Equal((2, ""), (absent.ExitCode, absent.Out));
        Assert.Contains("there is no such file on the server (404)", absent.Error, Ordinal);
        Assert.Equal(["net.safetensors"], Left());
    }

    [Fact]
    public async Task Download_prints_digests_in_the_format_of_sha256sum()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no sha256sum on Windows");
        Server.Files["/net.safetensors"] = Model;
        Directory.CreateDirectory(Folder[@"out\put"]);

        ToolRun plain = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors", "--sha256", "-q");
        ToolRun odd = await RunAsync("download", $"{Server.Address}/net.safetensors", @"out\put", "--sha256", "-q");

        Assert.Equal($"{Convert.ToHexStringLower(SHA256.HashData(Model))}  net.safetensors\n", plain.Out);
        Assert.Equal(await Sha256SumAsync("net.safetensors"), plain.Out);
        Assert.Equal(await Sha256SumAsync(@"out\put/net.safetensors"), odd.Out);
        Assert.Equal("", plain.Error + odd.Error);
    }

    [Fact]
    public async Task Download_transfers_a_file_of_any_other_type_unchanged_and_copies_a_local_file()
    {
        Server.Files["/tokenizer.json"] = Model[1000..2000];
        Server.Files["/empty.txt"] = [];

        ToolRun run = await RunAsync("download", $"{Server.Address}/tokenizer.json", ".", "-q");
        ToolRun empty = await RunAsync("download", $"{Server.Address}/empty.txt", "./", "-q");
        ToolRun local = await RunAsync("download", "tokenizer.json", "copy.json", "-q");

        Assert.Equal((0, "", 0, "", 0, ""), (run.ExitCode, run.All, empty.ExitCode, empty.All, local.ExitCode, local.All));
        Assert.Equal(Model[1000..2000], Read("tokenizer.json"));
        Assert.Equal(Model[1000..2000], Read("copy.json"));
        Assert.Empty(Read("empty.txt"));
    }

    [Theory]
    [InlineData("<!DOCTYPE html><html><body>Sign in</body></html>", "HTML")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "LFS")]
    public async Task A_web_page_or_LFS_pointer_instead_of_weights_is_refused_before_anything_is_written(string text, string says)
    {
        Server.Files["/net.safetensors"] = Encoding.UTF8.GetBytes(text);
        await File.WriteAllTextAsync(Folder["net.safetensors"], "before", TestContext.Current.CancellationToken);

        ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors");

        Assert.Contains(run.ExitCode, (int[])[1, 2]);
        Assert.StartsWith("error: ", run.Error, Ordinal);
        Assert.Contains(says, run.Error, Ordinal);
        Assert.Equal(["net.safetensors"], Left());
        Assert.Equal("before"u8.ToArray(), Read("net.safetensors"));
    }

    [Fact]
    public async Task A_file_length_beyond_every_disk_is_an_error_and_leaves_no_file()
    {
        Server.Intercept = async context =>
        {
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes 0-7/{long.MaxValue - 1}";
            context.Response.ContentLength = 8;
            await context.Response.Body.WriteAsync(new byte[8]);
            return true;
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/huge.bin", "huge.bin");

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("error: ", run.Error, Ordinal);
        Assert.Empty(Left());
    }

    [Theory]
    [InlineData("a%23b.safetensors", "a#b.safetensors")]
    [InlineData("50%25.safetensors", "50%.safetensors")]
    [InlineData("with%20space.safetensors", "with space.safetensors")]
    public async Task A_name_that_is_escaped_in_the_URL_is_unescaped_on_the_disk(string escaped, string plain)
    {
        Server.Files["/" + escaped] = Model;

        ToolRun run = await RunAsync("download", $"{Server.Address}/{escaped}", ".", "-q");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(Model, File.ReadAllBytes(Folder[plain]));
    }

    [Fact]
    public async Task An_unusable_destination_is_reported_before_the_file_is_requested()
    {
        Server.Files["/net.safetensors"] = Model;
        Server.Files["/m/model.safetensors.index.json"] = """{"weight_map":{"a":"1.safetensors"}}"""u8.ToArray();
        Server.Files["/m/1.safetensors"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3)]);
        Server.Files["/..%2Fup"] = Model;
        await File.WriteAllTextAsync(Folder["file"], "before", TestContext.Current.CancellationToken);
        Directory.CreateDirectory(Folder["holds/net.safetensors"]);
        string file = $"{Server.Address}/net.safetensors";
        var cases = new List<(string Uri, string Destination, int Code, string Says)>
        {
            (file, "absent/net.safetensors", 64, "The folder absent does not exist; create it first."),
            (file, "absent/", 64, "The folder absent/ does not exist; create it first."),
            (file, "holds", 1, "is a folder"),
            (file, file, 64, "DEST is a file or folder on disk"),
            (file, "--sha265", 64, "Unknown option --sha265"),
            ($"{Server.Address}/m/", "file", 64, "an index with 1 shard needs a folder as DEST"),
            ($"{Server.Address}/m/", "absent/model", 64, "The folder absent does not exist; create it first."),
            ($"{Server.Address}/%2E%2E%2Fup", ".", 64, "is not a plain file name"),
        };
        if (OperatingSystem.IsLinux())
        {
            cases.Add((file, "/dev/null", 1, "is a pipe or device"));

            // The modes of /sys let root write there, and the system refuses all the same.
            string denied = Environment.IsPrivilegedProcess ? "this user may not write there" : "this user may not write to the folder /sys";
            cases.Add((file, "/sys/net.safetensors", 1, denied));
            cases.Add(($"{Server.Address}/m/", "/sys/model", 1, $"/sys/model: {denied}"));
        }

        foreach ((string uri, string destination, int code, string says) in cases)
        {
            Server.Requests.Clear();
            ToolRun run = await RunAsync("download", uri, destination, "-q");
            Assert.True(code == run.ExitCode, destination + ": " + run.All);
            Assert.Contains(says, run.Error, Ordinal);
            Assert.DoesNotContain(Server.Requests, request => Ranges.Of(request.Range!).Length > 1000);
        }

        Assert.Equal(["file", "holds"], Left());
        Assert.Empty(Directory.GetFiles(Folder["holds"]));
    }

    [Fact]
    public async Task The_secrets_of_a_URL_are_not_written_into_the_journal()
    {
        Server.Files["/net.safetensors"] = Model;
        var payload = 0;
        Server.Intercept = context =>
        {
            bool refuse = Ranges.Of(context.Request.Headers.Range!).Length > 1000 && Interlocked.Increment(ref payload) > 1;
            context.Response.StatusCode = refuse ? 403 : 200;
            return Task.FromResult(refuse);
        };
        string uri = Server.Address.Replace("http://", "http://user:hunter2@", Ordinal) + "/net.safetensors?sig=c2ln";

        ToolRun run = await RunAsync("download", uri, "net.safetensors");
        Server.Intercept = null;
        string journal = File.Exists(Folder["net.safetensors.partial.jsonl"])
            ? await File.ReadAllTextAsync(Folder["net.safetensors.partial.jsonl"], TestContext.Current.CancellationToken)
            : "";
        ToolRun next = await RunAsync("download", uri.Replace("c2ln", "bmV3", Ordinal), "net.safetensors");

        Assert.Equal((2, 0), (run.ExitCode, next.ExitCode));
        Assert.Equal(Model, Read("net.safetensors"));
        Assert.All((string[])["user", "hunter2", "c2ln"], secret => Assert.DoesNotContain(secret, run.All + journal + next.All, Ordinal));
    }

    private async Task<string> Sha256SumAsync(string name)
    {
        var start = new ProcessStartInfo("sha256sum", [name]) { WorkingDirectory = Folder.Path, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string line = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return line;
    }
}
