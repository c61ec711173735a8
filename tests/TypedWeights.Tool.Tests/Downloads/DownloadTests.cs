using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Downloads;

public sealed class DownloadTests : ServerTest
{
    private static readonly byte[] Model = TestFile.Bytes(
        [TestFile.Noise("a", "BF16", 16, 1500, 1000), TestFile.Noise("b", "U8", 8, 3), TestFile.Noise("c", "F32", 32, 1_000_000)]);

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
    public async Task Download_of_an_index_writes_the_index_and_its_shards_into_a_folder()
    {
        var files = new Dictionary<string, byte[]>
        {
            ["model.safetensors.index.json"] = """{"weight_map":{"a":"1.safetensors","b":"below/2 b.safetensors"}}"""u8.ToArray(),
            ["1.safetensors"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3_000_000)]),
            ["below/2 b.safetensors"] = TestFile.Bytes([TestFile.Noise("b", "U8", 8, 100_000)]),
        };
        foreach ((string name, byte[] bytes) in files)
        {
            Server.Files["/m/" + name.Replace(" ", "%20", Ordinal)] = bytes;
        }

        ToolRun run = await RunAsync("download", $"{Server.Address}/m/", "model", "--sha256");
        ToolRun again = await RunAsync("download", $"{Server.Address}/m/model.safetensors.index.json", "model/", "-q");
        ToolRun local = await RunAsync("download", "model", "copy", "-q");

        Assert.True(run.ExitCode == 0, run.All);
        Assert.Equal((0, 0, ""), (run.ExitCode, again.ExitCode, again.All));
        Assert.Equal((0, ""), (local.ExitCode, local.All));
        Assert.StartsWith("wrote model/model.safetensors.index.json and 2 shards: 3.10 MB in ", run.Error, Ordinal);
        Assert.Equal(files.Keys.Order(), run.OutLines.Select(line => line[("model/".Length + 66)..]).Order());
        foreach ((string name, byte[] bytes) in files)
        {
            Assert.Equal(bytes, Read("model/" + name));
            Assert.Equal(bytes, Read("copy/" + name));
        }

        Assert.Equal(6, Directory.GetFiles(Folder.Path, "*", SearchOption.AllDirectories).Length);
    }

    [Theory]
    [MemberData(nameof(OddFile.Kinds), MemberType = typeof(OddFile))]
    public async Task Foreign_objects_with_the_names_of_a_download_are_never_written_through(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other kinds of files");
        Server.Files["/net.safetensors"] = Model;
        Directory.CreateDirectory(Folder["elsewhere"]);
        await File.WriteAllTextAsync(Folder["elsewhere/victim"], "precious", TestContext.Current.CancellationToken);
        foreach (string name in (string[])["net.safetensors.partial", "net.safetensors.partial.jsonl"])
        {
            OddFile.Make(kind, Folder[name], Folder["elsewhere/victim"]);

            ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors", "-q");

            bool isRefused = name == "net.safetensors.partial" || kind == OddFile.Folder;
            Assert.Equal(isRefused ? (1, true) : (0, false), (run.ExitCode, run.Error.Contains($"{name}: ", Ordinal)));
            Assert.Equal(!isRefused, File.Exists(Folder["net.safetensors"]));
            Assert.True(isRefused || Read("net.safetensors").AsSpan().SequenceEqual(Model));
            Assert.Equal("precious", await File.ReadAllTextAsync(Folder["elsewhere/victim"], TestContext.Current.CancellationToken));
            Assert.Single(Directory.GetFileSystemEntries(Folder["elsewhere"]));
            File.Delete(Folder["net.safetensors"]);
            if (kind == OddFile.Folder)
            {
                Directory.Delete(Folder[name]);
            }
            else
            {
                File.Delete(Folder[name]);
            }
        }
    }

    [Fact]
    public async Task Download_replaces_a_link_into_the_hub_cache_and_the_target_of_any_other_link()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege on Windows");
        Server.Files["/net.safetensors"] = Model;
        string blob = Folder["blobs/" + new string('a', 64)];
        Directory.CreateDirectory(Folder["blobs"]);
        await File.WriteAllTextAsync(blob, "shared", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Folder["real"], "old", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(Folder["hub.safetensors"], blob);
        File.CreateSymbolicLink(Folder["own.safetensors"], "real");

        foreach (string name in (string[])["hub.safetensors", "own.safetensors"])
        {
            ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", name, "-q");
            Assert.True(run.ExitCode == 0, run.All);
            Assert.Equal(Model, Read(name));
        }

        Assert.Equal("shared", await File.ReadAllTextAsync(blob, TestContext.Current.CancellationToken));
        Assert.Null(new FileInfo(Folder["hub.safetensors"]).LinkTarget);
        Assert.Equal(Model, Read("real"));
        Assert.Equal("real", new FileInfo(Folder["own.safetensors"]).LinkTarget);
    }

    [Fact]
    public async Task The_old_index_is_removed_before_the_first_old_shard_is_replaced()
    {
        Server.Files["/m/model.safetensors.index.json"] = """{"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}"""u8.ToArray();
        Server.Files["/m/1.safetensors"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3_000)]);
        Server.Files["/m/2.safetensors"] = TestFile.Bytes([TestFile.Noise("b", "U8", 8, 3_000)]);
        Assert.Equal(0, (await RunAsync("download", $"{Server.Address}/m/", "model")).ExitCode);
        Server.Files["/m/1.safetensors"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3_500)]);
        Server.Files["/m/2.safetensors"] = TestFile.Bytes([TestFile.Noise("b", "U8", 8, 3_500)]);
        Server.Intercept = context =>
        {
            // Once all has been looked at, the second shard cannot get its name: as when the process ends between the two.
            if (context.Request.Path == "/m/2.safetensors" && Ranges.Of(context.Request.Headers.Range!).Length > 1000)
            {
                File.Delete(Folder["model/2.safetensors"]);
                Directory.CreateDirectory(Folder["model/2.safetensors/in the way"]);
            }

            return Task.FromResult(false);
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/m/", "model");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Equal(Server.Files["/m/1.safetensors"], Read("model/1.safetensors"));
        Assert.False(File.Exists(Folder["model/model.safetensors.index.json"]), run.All);
    }

    [Fact]
    public async Task An_old_model_stays_unchanged_if_the_partial_file_of_a_new_shard_was_replaced()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows removes no file that is open");
        Server.Files["/m/model.safetensors.index.json"] = """{"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}"""u8.ToArray();
        Server.Files["/m/1.safetensors"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3_000)]);
        Server.Files["/m/2.safetensors"] = TestFile.Bytes([TestFile.Noise("b", "U8", 8, 3_000)]);
        Assert.Equal(0, (await RunAsync("download", $"{Server.Address}/m/", "model")).ExitCode);
        string[] names = ["model.safetensors.index.json", "1.safetensors", "2.safetensors"];
        byte[][] before = [.. names.Select(name => Read("model/" + name))];
        Server.Files["/m/1.safetensors"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3_500)]);
        Server.Files["/m/2.safetensors"] = TestFile.Bytes([TestFile.Noise("b", "U8", 8, 3_500)]);
        string partial = Folder["model/2.safetensors.partial"];
        Server.Intercept = context =>
        {
            // As another download would do that somebody began after removing the file.
            if (context.Request.Path == "/m/2.safetensors" && Ranges.Of(context.Request.Headers.Range!).Length > 1000)
            {
                File.Delete(partial);
                File.WriteAllText(partial, "another's");
            }

            return Task.FromResult(false);
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/m/", "model");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains(partial, run.Error, Ordinal);
        Assert.Equal(before, names.Select(name => Read("model/" + name)));
        Assert.Equal("another's", await File.ReadAllTextAsync(partial, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task No_shard_gets_its_name_before_all_shards_are_whole()
    {
        Server.Files["/m/model.safetensors.index.json"] = """{"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}"""u8.ToArray();
        Server.Files["/m/1.safetensors"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3_000_000)]);
        Server.Files["/m/2.safetensors"] = TestFile.Bytes([TestFile.Noise("b", "U8", 8, 3_000_000)]);
        Server.Intercept = context =>
        {
            bool refuse = context.Request.Path == "/m/2.safetensors" && Ranges.Of(context.Request.Headers.Range!).Length > 1000;
            context.Response.StatusCode = refuse ? 403 : 200;
            return Task.FromResult(refuse);
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/m/", "model");
        Server.Intercept = null;
        string[] left = [.. Directory.GetFiles(Folder["model"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        Server.Requests.Clear();
        ToolRun next = await RunAsync("download", $"{Server.Address}/m/", "model");

        Assert.Equal(2, run.ExitCode);
        Assert.Equal(["1.safetensors.partial", "1.safetensors.partial.jsonl"], left);
        Assert.Contains("3.00 MB of 6.00 MB stay in 1.safetensors.partial; the same command goes on from there.\nerror: ", run.Error, Ordinal);
        Assert.Equal(0, next.ExitCode);
        Assert.StartsWith("going on: 3.00 MB of 6.00 MB are there and sound.\nwrote model/model.safetensors.index.json and 2 shards: 3.00 MB",
            next.Error, Ordinal);
        Assert.DoesNotContain(Server.Requests, request => request.Path == "/m/1.safetensors" && Ranges.Of(request.Range!).Length > 1000);
        Assert.Equal(Server.Files["/m/1.safetensors"], Read("model/1.safetensors"));
        Assert.Equal(Server.Files["/m/2.safetensors"], Read("model/2.safetensors"));
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
    public async Task An_index_without_a_validator_that_changes_during_a_download_is_detected_at_the_end()
    {
        const string Shard = "1.safetensors";
        string index = $"{{\"weight_map\":{{\"a\":\"{Shard}\"}}}}";
        int asked = 0;

        // No validator, and an index that puts another tensor into the shard once it has been read.
        Server.Intercept = async context =>
        {
            bool isIndex = context.Request.Path.Value!.EndsWith(".json", Ordinal);
            string now = isIndex && Interlocked.Increment(ref asked) > 2 ? index.Replace("\"a\"", "\"b\"", Ordinal) : index;
            byte[] bytes = isIndex ? Encoding.UTF8.GetBytes(now) : TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3)]);
            await Results.Bytes(bytes, enableRangeProcessing: true).ExecuteAsync(context);
            return true;
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/model.safetensors.index.json", "model");

        Assert.Contains("the file was replaced while it was downloaded; download it again.", run.Error, Ordinal);
        Assert.False(File.Exists(Folder["model/model.safetensors.index.json"]));
    }

    [Fact]
    public async Task A_file_without_a_validator_that_changes_during_a_download_is_detected_at_the_end()
    {
        byte[] other = TestFile.Bytes([TestFile.Noise("A", "BF16", 16, 1500, 1000), TestFile.Noise("b", "U8", 8, 3),
            TestFile.Noise("c", "F32", 32, 1_000_000)]);
        Assert.Equal(Model.Length, other.Length);
        int asked = 0;

        // No validator, and another file from the third request on: the first two are for the header.
        Server.Intercept = async context =>
        {
            byte[] now = Interlocked.Increment(ref asked) <= 2 ? Model : other;
            await Results.Bytes(now, enableRangeProcessing: true).ExecuteAsync(context);
            return true;
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("the file was replaced while it was downloaded; download it again.", run.Error, Ordinal);
        Assert.Empty(Left());
    }

    [Fact]
    public async Task An_index_that_changes_after_its_shards_were_opened_is_detected_at_the_end()
    {
        byte[] before = """{"weight_map":{"a":"1.safetensors"}}"""u8.ToArray();
        byte[][] later = ["""{"weight_map":{"a":"2.safetensors"}}"""u8.ToArray(), """{"weight_map":{"z":"1.safetensors"}}"""u8.ToArray()];
        Server.Files["/m/1.safetensors"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3)]);
        foreach (byte[] after in later)
        {
            bool wasShardAsked = false;
            Server.Intercept = async context =>
            {
                bool isIndex = context.Request.Path == "/m/model.safetensors.index.json";
                wasShardAsked |= !isIndex;
                if (isIndex)
                {
                    await Results.Bytes(wasShardAsked ? after : before, enableRangeProcessing: true).ExecuteAsync(context);
                }

                return isIndex;
            };

            ToolRun run = await RunAsync("download", $"{Server.Address}/m/model.safetensors.index.json", "model");

            Assert.Contains(run.ExitCode, (int[])[1, 2]);
            Assert.Contains("model.safetensors.index.json: ", run.Error, Ordinal);
            Assert.False(File.Exists(Folder["model/model.safetensors.index.json"]), run.All);
        }
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

    [Fact]
    public async Task A_file_is_downloaded_from_a_server_without_range_support()
    {
        Server.Intercept = async context =>
        {
            await Results.Bytes(Model, "application/octet-stream", enableRangeProcessing: false).ExecuteAsync(context);
            return true;
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors", "-q");

        Assert.Equal((0, ""), (run.ExitCode, run.All));
        Assert.Equal(Model, Read("net.safetensors"));
    }

    [Theory]
    [InlineData("net.safetensors")]
    [InlineData("vocab.bin")]
    public async Task A_file_is_downloaded_from_a_server_that_sends_no_length_and_supports_no_ranges(string name)
    {
        Server.Intercept = async context =>
        {
            // In chunks, as Kestrel sends what has no length.
            await context.Response.Body.WriteAsync(Model);
            return true;
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/{name}", name, "-q");

        Assert.Equal((0, ""), (run.ExitCode, run.All));
        Assert.Equal(Model, Read(name));
    }

    [Fact]
    public async Task A_chunked_response_that_ends_before_the_model_does_is_an_error()
    {
        Server.Intercept = async context =>
        {
            await context.Response.Body.WriteAsync(Model.AsMemory(0, Model.Length - 1));
            return true;
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors", "-q");

        Assert.NotEqual(0, run.ExitCode);
        Assert.False(File.Exists(Folder["net.safetensors"]));
    }

    [Fact]
    public async Task The_error_of_a_download_from_a_server_that_stops_serving_ranges_does_not_advise_a_download()
    {
        Server.Files["/net.safetensors"] = Model;
        Server.Intercept = async context =>
        {
            if (Ranges.Of(context.Request.Headers.Range!).Length <= 1000)
            {
                return false;
            }

            await Results.Bytes(Model).ExecuteAsync(context);
            return true;
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("ignores range requests", run.Error, Ordinal);
        Assert.DoesNotContain("download the file", run.Error, Ordinal);
    }

    [Fact]
    public async Task Download_reports_a_busy_server_and_tries_again()
    {
        Server.Files["/net.safetensors"] = Model;
        int payload = 0;
        Server.Intercept = context =>
        {
            bool busy = Ranges.Of(context.Request.Headers.Range!).Length > 1000 && Interlocked.Increment(ref payload) == 1;
            context.Response.StatusCode = busy ? 503 : 200;
            return Task.FromResult(busy);
        };

        ToolRun run = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors");
        ToolRun quiet = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors", "-q");

        Assert.Equal((0, 0, ""), (run.ExitCode, quiet.ExitCode, quiet.All));
        Assert.Matches(@"net\.safetensors: the server .+503.+ Trying again( in (0\.[1-9]|[1-9][\d.]*) s)?\.\n(.+\n)*wrote ", run.Error);
        Assert.Equal(Model, Read("net.safetensors"));
    }

    [Fact]
    public async Task An_empty_file_is_refused_with_and_without_a_length_in_the_response()
    {
        bool isTold = false;
        Server.Intercept = async context =>
        {
            context.Response.ContentLength = isTold ? 0 : null;
            await context.Response.StartAsync();
            return true;
        };

        ToolRun untold = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors");
        isTold = true;
        ToolRun told = await RunAsync("download", $"{Server.Address}/net.safetensors", "net.safetensors");

        Assert.Equal((told.ExitCode, told.All), (untold.ExitCode, untold.All));
        Assert.Contains("an empty file", untold.Error, Ordinal);
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
            (file, "absent/net.safetensors", 64, "There is no folder absent; make it first."),
            (file, "absent/", 64, "There is no folder absent/; make it first."),
            (file, "holds", 1, "is a folder"),
            (file, file, 64, "DEST is a file or folder on disk"),
            (file, "--sha265", 64, "There is no option --sha265"),
            ($"{Server.Address}/m/", "file", 64, "an index and its 1 shards go into a folder"),
            ($"{Server.Address}/m/", "absent/model", 64, "There is no folder absent; make it first."),
            ($"{Server.Address}/%2E%2E%2Fup", ".", 64, "is no plain file name"),
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

    private Task<ToolRun> RunAsync(params string[] args) => ToolRun.InAsync(Folder.Path, args);

    private byte[] Read(string name) => File.ReadAllBytes(Folder[name]);

    private IEnumerable<string?> Left() => Directory.GetFileSystemEntries(Folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private async Task<string> Sha256SumAsync(string name)
    {
        var start = new ProcessStartInfo("sha256sum", [name]) { WorkingDirectory = Folder.Path, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string line = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return line;
    }
}
