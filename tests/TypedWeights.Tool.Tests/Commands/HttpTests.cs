using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using TypedWeights.Snapshots;
using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Commands;

public sealed class HttpTests : ServerTest
{
    [Theory]
    [InlineData("?file=net", true)]
    [InlineData("?sig=abc&versionId=7", false)]
    public async Task A_snapshot_warns_if_a_dropped_query_parameter_may_identify_the_file(string query, bool warns)
    {
        Server.Files["/get"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3)]);

        ToolRun run = await ToolRun.InAsync(Folder.Path, "snapshot", $"{Server.Address}/get{query}", "--class", "Net");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(warns, run.Error.Contains("load the class with the whole URL: LoadAsync(url).", Ordinal));
    }

    [Fact]
    public async Task A_snapshot_of_a_remote_file_sends_only_two_requests_for_its_header()
    {
        byte[] bytes = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 1_000_000)]);
        Server.Files["/m/net.safetensors"] = bytes;
        long header = BinaryPrimitives.ReadInt64LittleEndian(bytes);

        ToolRun run = await ToolRun.InAsync(Folder.Path, "snapshot", $"{Server.Address}/m/net.safetensors");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(["bytes=0-7", $"bytes=8-{7 + header}"], Server.Requests.Select(request => request.Range));
        SnapshotFile file = Read("weights/Net.weights.json").Files.Single();
        Assert.Equal((bytes.Length, header), (file.Length, file.HeaderLength));
        Assert.Matches("^\"[0-9A-F]{16}\"$", file.Validator);
    }

    [Fact]
    public async Task The_commands_read_only_the_header_of_a_local_or_remote_file_of_350_GB()
    {
        const long Data = 350_000_000_000;
        byte[] header = Encoding.UTF8.GetBytes($$$"""{"a":{"dtype":"U8","shape":[{{{Data}}}],"data_offsets":[0,{{{Data}}}]}}""");
        string path = Folder["huge.safetensors"];
        await using (FileStream stream = File.Create(path))
        {
            byte[] length = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            await stream.WriteAsync(length, TestContext.Current.CancellationToken);
            await stream.WriteAsync(header, TestContext.Current.CancellationToken);
            Assert.SkipWhen(OperatingSystem.IsWindows(), "the file system of Windows gives a long file its blocks");
            try
            {
                stream.SetLength(8 + header.Length + Data);
            }
            catch (IOException e)
            {
                Assert.Skip("the file system has no sparse files of 350 GB: " + e.Message);
            }
        }

        long sent = 0;
        Server.Intercept = async context =>
        {
            await Results.File(path, "application/octet-stream", enableRangeProcessing: true).ExecuteAsync(context);
            Interlocked.Add(ref sent, context.Response.ContentLength ?? long.MaxValue / 4);
            return true;
        };

        ToolRun local = await ToolRun.InAsync(Folder.Path, "snapshot", "huge.safetensors");
        ToolRun remote = await ToolRun.InAsync(Folder.Path, "snapshot", $"{Server.Address}/huge.safetensors", "--class", "Remote");
        ToolRun verify = await ToolRun.InAsync(Folder.Path, "verify");
        ToolRun page = await ToolRun.InAsync(Folder.Path, "inspect", "huge.safetensors");

        Assert.Equal("wrote weights/Huge.weights.json: 1 tensor, 350 GB in 1 file\n", local.Out);
        Assert.Equal("wrote weights/Remote.weights.json: 1 tensor, 350 GB in 1 file\n", remote.Out);
        Assert.Equal((0, 0), (verify.ExitCode, page.ExitCode));

        // The snapshot and the check of the remote one: each the eight bytes and the header.
        Assert.Equal(4, Server.Requests.Count);
        Assert.Equal(2 * (8 + header.Length), sent);
    }

    [Fact]
    public async Task A_snapshot_of_a_remote_index_sends_two_header_requests_for_each_shard()
    {
        Server.Files["/m/model.safetensors.index.json"] = Encoding.UTF8.GetBytes(
            """{"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}""");
        Server.Files["/m/1.safetensors"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 100_000)]);
        Server.Files["/m/2.safetensors"] = TestFile.Bytes([TestFile.Noise("b", "U8", 8, 100_000)]);

        ToolRun run = await ToolRun.InAsync(Folder.Path, "snapshot", $"{Server.Address}/m/");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("wrote weights/M.weights.json: 2 tensors, 200 kB in 2 files", run.Out, Ordinal);
        var shards = Server.Requests.Where(request => request.Path.EndsWith(".safetensors", Ordinal)).ToArray();
        Assert.Equal(4, shards.Length);
        Assert.All(shards, request => Assert.True(LastByte(request.Range!) < 200, request.Range));
    }

    [Fact]
    public async Task Verify_warns_of_another_version_with_the_same_header_and_reports_drift_of_another_header()
    {
        Server.Files["/net.safetensors"] = TestFile.Bytes([TestFile.F32("a", [1], 1)]);
        await ToolRun.InAsync(Folder.Path, "snapshot", $"{Server.Address}/net.safetensors");

        Server.Files["/net.safetensors"] = TestFile.Bytes([TestFile.F32("a", [1], 2)]);
        ToolRun values = await ToolRun.InAsync(Folder.Path, "verify");
        Server.Files["/net.safetensors"] = TestFile.Bytes([TestFile.F32("a", [2], 2, 3)]);
        ToolRun shape = await ToolRun.InAsync(Folder.Path, "verify");
        Server.Files.Clear();
        ToolRun gone = await ToolRun.InAsync(Folder.Path, "verify");

        Assert.Equal(0, values.ExitCode);
        Assert.Contains("the values may differ", values.OutLines[1], Ordinal);
        Assert.Equal(1, shape.ExitCode);
        Assert.Contains("  drift: a: F32 [1] became F32 [2]", shape.OutLines);
        Assert.Equal($"  to repair it: typedweights snapshot {Server.Address}/net.safetensors", shape.OutLines[^1]);
        Assert.Equal(2, gone.ExitCode);
        Assert.Contains("404", gone.Error, Ordinal);
    }

    [Fact]
    public async Task A_secret_in_a_URL_is_sent_to_the_server_and_appears_nowhere_else()
    {
        const string Password = "hunter2pass";
        const string User = "aliceuser";
        const string Signature = "c2lnbmF0dXJl";
        const string Token = "hf_planted_token";
        byte[] bytes = TestFile.Bytes([TestFile.F32("a", [1], 1)]);
        bool served = false;
        var failure = 0;
        Server.Intercept = async context =>
        {
            string authorization = context.Request.Headers.Authorization.ToString();
            served |= context.Request.Query["sig"] == Signature && authorization.StartsWith("Basic ", Ordinal);
            if (failure != 0)
            {
                context.Response.StatusCode = failure;
                await context.Response.WriteAsync($"denied for {Token}");
            }

            return failure != 0;
        };
        Server.Files["/net.safetensors"] = bytes;
        Server.Files["/broken.safetensors"] = bytes[..^1];
        string root = Server.Address.Replace("http://", $"http://{User}:{Password}@", Ordinal);
        string query = $"?sig={Signature}&token={Token}&revision=r1#{Token}";
        string[] secrets = [Password, User, Signature, Token, Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"))];
        var seen = new StringBuilder();

        async Task<int> RunAsync(params string[] args)
        {
            ToolRun run = await ToolRun.InAsync(Folder.Path, args);
            seen.Append(run.All);
            return run.ExitCode;
        }

        Assert.Equal(0, await RunAsync("snapshot", $"{root}/net.safetensors{query}"));
        Assert.Equal(0, await RunAsync("inspect", $"{root}/net.safetensors{query}"));
        Assert.Equal(0, await RunAsync("inspect", "--json", "--digest", $"{root}/net.safetensors{query}"));
        Assert.Equal(0, await RunAsync("verify"));
        Assert.Equal(1, await RunAsync("snapshot", $"{root}/broken.safetensors{query}"));
        Assert.Equal(1, await RunAsync("inspect", $"{root}/broken.safetensors{query}", "--json"));
        Assert.Equal(2, await RunAsync("snapshot", $"http://{User}:{Password}@127.0.0.1:1/net.safetensors{query}"));
        Assert.Equal(2, await RunAsync("snapshot", $"nobody://{User}:{Password}@bucket/net.safetensors{query}"));
        Assert.Equal(64, await RunAsync("snapshot", $"http://{User}:{Password}@:notaport/net.safetensors{query}"));
        string url = $"{root}/net.safetensors{query}";
        foreach (string[] wrong in (string[][])
            [
                ["snapshot", "--class", url, url], ["snapshot", url, url], ["snapshot", url, "-o", url],
                ["snapshot", url, $"--option={url}"],
                [url], ["verify", url], ["verify", $"--option={url}"], ["inspect", $"-{url}"],
            ])
        {
            Assert.Equal(64, await RunAsync(wrong));
        }

        foreach (int status in (int[])[401, 403, 404, 500])
        {
            failure = status;
            Assert.Equal(2, await RunAsync("snapshot", $"{root}/net.safetensors{query}"));
            Assert.Equal(1, await RunAsync("inspect", "--json", $"{root}/net.safetensors{query}"));
        }

        ToolRun process = await ToolRun.ProcessAsync(Folder.Path, null, "snapshot", $"{root}/net.safetensors{query}");
        seen.Append(process.All);

        Assert.True(served, "the credentials did not reach the server");
        string snapshot = await File.ReadAllTextAsync(Folder["weights/Net.weights.json"], TestContext.Current.CancellationToken);
        Assert.Contains($"\"source\": \"{Server.Address}/net.safetensors?revision=r1\"", snapshot, Ordinal);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, seen.ToString(), Ordinal));
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, snapshot, Ordinal));
        Assert.Equal(["Net.weights.json"], Directory.GetFiles(Folder.Path, "*", SearchOption.AllDirectories).Select(Path.GetFileName));
    }

    private static long LastByte(string range) => long.Parse(range.Split('-')[1], CultureInfo.InvariantCulture);

    private WeightSnapshot Read(string name) => SnapshotReader.Read(File.ReadAllBytes(Folder[name]));
}
