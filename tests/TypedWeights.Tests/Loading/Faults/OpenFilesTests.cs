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
    public async Task Concurrent_loads_share_the_file_descriptors_of_the_process(int openFiles, int loads)
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
    public async Task Too_low_a_limit_of_open_files_is_an_error_that_says_how_many_an_HTTP_load_needs(int openFiles)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such limit.");
        using ProbeProcess probe = ProbeProcess.Start(openFiles, "many", Uri, "1");

        string error = await probe.ReadAsync("failed");

        Assert.Contains($"this process may have {openFiles} files and sockets open at once, and at least 128 are needed", error, Ordinal);
        Assert.Contains("ulimit -n 1024", error, Ordinal);
        await probe.EndAsync();
    }
}
