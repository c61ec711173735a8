using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Downloads;

/// <summary>A download that replaces what is there: a model as a whole, links, and never what is not its own.</summary>
public sealed class ModelDownloadTests : DownloadTest
{
    [Fact]
    public async Task Download_of_an_index_writes_the_index_and_its_shards_into_aFolder()
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
        Assert.Contains("3.00 MB of 6.00 MB are kept in 1.safetensors.partial; run the same command again to resume.\nerror: ", run.Error, Ordinal);
        Assert.Equal(0, next.ExitCode);
        Assert.StartsWith(
            "resuming: 3.00 MB of 6.00 MB were downloaded before and are intact.\nwrote model/model.safetensors.index.json and 2 shards: 3.00 MB",
            next.Error, Ordinal);
        Assert.DoesNotContain(Server.Requests, request => request.Path == "/m/1.safetensors" && Ranges.Of(request.Range!).Length > 1000);
        Assert.Equal(Server.Files["/m/1.safetensors"], Read("model/1.safetensors"));
        Assert.Equal(Server.Files["/m/2.safetensors"], Read("model/2.safetensors"));
    }
}
