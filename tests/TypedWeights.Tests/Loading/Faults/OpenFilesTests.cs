using TypedWeights.Tests.Loading.Caching;
using static System.StringComparison;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>A process that may open few files goes on with fewer connections, and is never ended by the runtime.</summary>
public sealed class OpenFilesTests : FaultTest
{
    [Theory]
    [InlineData(160, 1)]
    [InlineData(160, 8)]
    [InlineData(256, 8)]
    public async Task Loads_side_by_side_share_the_descriptors_that_there_are(int openFiles, int loads)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such limit.");

        // Slow enough that more connections would make it faster.
        Server.Answer = request => request.IsPayload ? Respond.After(() => Task.Delay(20, request.Aborted), Respond.Serve) : null;
        using ProbeProcess probe = ProbeProcess.Start(openFiles, "many", Uri, $"{loads}");

        for (int i = 0; i < loads; i++)
        {
            Assert.Equal(ProbeProcess.DigestOf(NoiseFile.Entries), await probe.ReadAsync("loaded"));
        }

        await probe.EndAsync();
    }

    [Theory]
    [InlineData(90)]
    [InlineData(127)]
    public async Task A_load_over_HTTP_by_a_process_that_may_open_too_few_files_is_an_error_that_says_how_many_are_needed(int openFiles)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such limit.");
        using ProbeProcess probe = ProbeProcess.Start(openFiles, "many", Uri, "1");

        string error = await probe.ReadAsync("failed");

        Assert.Contains($"this process may have {openFiles} files and sockets open at once, and at least 128 are needed", error, Ordinal);
        Assert.Contains("ulimit -n 1024", error, Ordinal);
        await probe.EndAsync();
    }
}
