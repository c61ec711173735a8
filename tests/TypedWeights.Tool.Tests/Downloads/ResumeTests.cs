using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using TypedWeights.Downloads;
using TypedWeights.Tests.Support;
using static System.StringComparison;

namespace TypedWeights.Tests.Downloads;

/// <summary>Downloads whose process ends early: killed, interrupted, or beaten to it.</summary>
public sealed class ResumeTests : ServerTest
{
    private static readonly byte[] Model = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 24_000_000)]);

    private readonly TaskCompletionSource _stuck = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private string Uri => Server.Address + "/net.safetensors";

    private string JournalPath => Folder["net.safetensors.partial.jsonl"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Server.Files["/net.safetensors"] = Model;
    }

    [Fact]
    public async Task A_killed_download_is_resumed_and_requests_no_finished_part_again()
    {
        IReadOnlyList<FinishedPart> finished = await KilledAsync();
        Assert.InRange(finished.Sum(part => part.Length), 1, Model.Length - 1);

        ToolRun next = await ToolRun.ProcessAsync(Folder.Path, null, "download", Uri, "net.safetensors", "--sha256");

        Assert.Equal(0, next.ExitCode);
        Assert.StartsWith("resuming: ", next.Error, Ordinal);
        Assert.Equal(Model, await File.ReadAllBytesAsync(Folder["net.safetensors"], Token));
        Assert.Equal(["net.safetensors"], Left());
        foreach ((long offset, long length) in Asked())
        {
            Assert.DoesNotContain(finished, part => part.Offset < offset + length && offset < part.Offset + part.Length);
        }

        Assert.Equal(Model.Length - finished.Sum(part => part.Length), AskedBytes());
    }

    [Theory]
    [InlineData("0277")]
    [InlineData("0777")]
    public async Task A_killed_download_is_resumed_under_a_umask_that_removes_the_permissions_of_the_owner(string umask)
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("umasks are those of Unix");
            return;
        }

        File.SetUnixFileMode(Folder.Path, (UnixFileMode)0x1ff);
        GetStuck();
        await ToolRun.WithUmaskAsync(Folder.Path, umask, KillAsync, "download", Uri, "net.safetensors");
        Assert.Equal(["net.safetensors.partial", "net.safetensors.partial.jsonl"], Left());
        Server.Intercept = null;

        ToolRun next = await ToolRun.WithUmaskAsync(Folder.Path, umask, null, "download", Uri, "net.safetensors");

        Assert.True(next.ExitCode == 0, next.All);
        Assert.StartsWith("resuming: ", next.Error, Ordinal);
        Assert.Equal(Model, await File.ReadAllBytesAsync(Folder["net.safetensors"], Token));

        async Task KillAsync(Process process)
        {
            await SomeFinishedAsync();
            process.Kill();
        }
    }

    [Theory]
    [InlineData("?sig=2&file=a", "resuming: ")]
    [InlineData("?file=b&sig=1", "net.safetensors.partial: starting again, because it is a part of ")]
    public async Task A_download_is_resumed_with_another_URL_signature_and_not_with_another_query_parameter(string query, string said)
    {
        await KilledAsync("?file=a&sig=1");

        ToolRun next = await ToolRun.InAsync(Folder.Path, "download", Uri + query, "net.safetensors");

        Assert.Equal(0, next.ExitCode);
        Assert.StartsWith(said, next.Error, Ordinal);
        Assert.DoesNotContain("file=a", next.All, Ordinal);
        Assert.Equal(Model, await File.ReadAllBytesAsync(Folder["net.safetensors"], Token));
    }

    [Fact]
    public async Task A_torn_journal_line_and_a_damaged_part_cost_only_their_own_bytes()
    {
        IReadOnlyList<FinishedPart> finished = await KilledAsync();
        FinishedPart spoiled = finished[0];
        using (FileStream partial = File.OpenWrite(Folder["net.safetensors.partial"]))
        {
            partial.Position = spoiled.Offset + spoiled.Length - 1;
            partial.WriteByte((byte)~Model[(int)partial.Position]);
        }

        // The last line, whose end never came.
        FinishedPart torn = finished[^1];
        await using (FileStream journal = File.OpenWrite(JournalPath))
        {
            journal.SetLength(journal.Length - 20);
        }

        ToolRun next = await ToolRun.InAsync(Folder.Path, "download", Uri, "net.safetensors");

        Assert.Equal(0, next.ExitCode);
        Assert.Equal(Model, await File.ReadAllBytesAsync(Folder["net.safetensors"], Token));
        long again = AskedBytes() - (Model.Length - finished.Sum(part => part.Length));
        Assert.Equal(spoiled.Length + torn.Length, again);
    }

    [Fact]
    public async Task A_file_that_has_changed_at_its_source_is_downloaded_from_the_start()
    {
        await KilledAsync();
        byte[] changed = TestFile.Bytes([TestFile.Noise("b", "U8", 8, 24_000_000)]);
        Server.Files["/net.safetensors"] = changed;

        ToolRun next = await ToolRun.InAsync(Folder.Path, "download", Uri, "net.safetensors");

        Assert.Equal(0, next.ExitCode);
        Assert.StartsWith(
            "net.safetensors.partial: starting again, because the file has changed at its source since.\nwrote net.safetensors: 24.0 MB",
            next.Error,
            Ordinal);
        Assert.Equal(changed, await File.ReadAllBytesAsync(Folder["net.safetensors"], Token));
        Assert.Equal(["net.safetensors"], Left());
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task A_download_that_a_signal_ends_keeps_and_reports_its_finished_parts(string signal, int code)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no kill on Windows");
        GetStuck();

        ToolRun run = await ToolRun.ProcessAsync(Folder.Path, InterruptAsync, "download", Uri, "net.safetensors");

        Assert.Equal((code, ""), (run.ExitCode, run.Out));
        Assert.EndsWith("of 24.0 MB are kept in net.safetensors.partial; run the same command again to resume.\ninterrupted\n", run.Error, Ordinal);
        Assert.Equal(["net.safetensors.partial", "net.safetensors.partial.jsonl"], Left());

        async Task InterruptAsync(Process process)
        {
            await SomeFinishedAsync();
            using Process kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
            await kill.WaitForExitAsync(Token);
        }
    }

    [Fact]
    public async Task A_second_download_of_a_file_that_is_being_downloaded_is_refused()
    {
        GetStuck();
        ToolRun? second = null;

        await ToolRun.ProcessAsync(Folder.Path, WhileItRunsAsync, "download", Uri, "net.safetensors");

        Assert.Equal(1, second!.ExitCode);
        Assert.Contains("another download is writing this file", second.Error, Ordinal);
        Assert.Equal(["net.safetensors.partial", "net.safetensors.partial.jsonl"], Left());

        async Task WhileItRunsAsync(Process process)
        {
            await SomeFinishedAsync();
            second = await ToolRun.InAsync(Folder.Path, "download", Uri, "net.safetensors");
            process.Kill();
        }
    }

    [Fact]
    public async Task A_killed_download_keeps_the_received_bytes_of_an_unfinished_range()
    {
        // No part of this download is ever whole.
        GetStuck(everywhere: true);

        await ToolRun.ProcessAsync(Folder.Path, KillAsync, "download", Uri, "net.safetensors");

        async Task KillAsync(Process process)
        {
            await _stuck.Task.WaitAsync(Token);
            await Eventually.BecomesAsync(() => Kept() >= AskedBytes() / 2, () => $"{Kept()} bytes of {AskedBytes()} have been kept");
            process.Kill();
        }

        long Kept() => PartJournal.Read(JournalPath, Token).Parts.Sum(part => part.Length);
    }

    // Kills a download when some of its parts are finished and others are under way, and forgets what was asked for until then.
    private async Task<IReadOnlyList<FinishedPart>> KilledAsync(string query = "")
    {
        GetStuck();
        ToolRun run = await ToolRun.ProcessAsync(Folder.Path, KillAsync, "download", Uri + query, "net.safetensors");
        Assert.NotEqual(0, run.ExitCode);
        Assert.Equal(["net.safetensors.partial", "net.safetensors.partial.jsonl"], Left());
        Server.Intercept = null;
        Server.Requests.Clear();
        return PartJournal.Read(JournalPath, Token).Parts;

        async Task KillAsync(Process process)
        {
            await SomeFinishedAsync();
            process.Kill();
        }
    }

    // Every other answer about payload, or every one, stops in its middle.
    private void GetStuck(bool everywhere = false)
    {
        int payload = 0;
        Server.Intercept = async context =>
        {
            (long offset, long length) = Ranges.Of(context.Request.Headers.Range!);
            if (length < 1000 || (Interlocked.Increment(ref payload) % 2 == 0 && !everywhere))
            {
                return false;
            }

            context.Response.StatusCode = 206;
            context.Response.ContentLength = length;
            context.Response.Headers.ContentRange = $"bytes {offset}-{offset + length - 1}/{Model.Length}";
            context.Response.Headers.ETag = await TagAsync();
            await context.Response.Body.WriteAsync(Model.AsMemory((int)offset, (int)length * 2 / 3), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            _stuck.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return true;
        };
    }

    private async Task<string> TagAsync()
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, Uri);
        request.Headers.Range = new(0, 0);
        using HttpResponseMessage response = await client.SendAsync(request, Token);
        return response.Headers.ETag!.ToString();
    }

    private async Task SomeFinishedAsync()
    {
        await _stuck.Task.WaitAsync(Token);
        await Eventually.BecomesAsync(
            () => PartJournal.Read(JournalPath, Token).Parts.Count >= 3, () => "fewer than three parts are finished");
    }

    private IEnumerable<(long Offset, long Length)> Asked() =>
        Server.Requests.Select(request => Ranges.Of(request.Range!)).Where(range => range.Length > 1000);

    // Each byte once.
    private long AskedBytes()
    {
        var asked = new PartMap();
        foreach ((long offset, long length) in Asked().SelectMany(range => asked.Missing(range.Offset, range.Length)))
        {
            asked.Add(new FinishedPart(offset, length, default), isSound: true);
        }

        return asked.Total;
    }

    private IEnumerable<string?> Left() => Directory.GetFileSystemEntries(Folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
