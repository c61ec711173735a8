using System.Net.Sockets;
using TypedWeights.Files;

namespace TypedWeights.Tests.Files;

public class OpenFileLimitTests
{
    [Fact]
    public void The_count_of_open_files_includes_a_newly_opened_file()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not count descriptors.");

        // Other tests open and close files at the same time: more of ours than they can close.
        long before = OpenFileLimit.CountOpen()!.Value;
        var files = new List<FileStream>();
        try
        {
            for (int i = 0; i < 300; i++)
            {
                files.Add(File.OpenRead(typeof(OpenFileLimitTests).Assembly.Location));
            }

            Assert.InRange(OpenFileLimit.CountOpen()!.Value, before + 100, long.MaxValue);
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
    }

    [Fact]
    public void The_number_of_files_that_may_still_be_opened_is_within_the_limit()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such limit.");
        Assert.SkipWhen(ProcessLimits.OpenFiles is null, "This process has no limit.");

        Assert.InRange(OpenFileLimit.CountLeft()!.Value, 0, ProcessLimits.OpenFiles!.Value);
    }

    [Fact]
    public void Socket_and_file_errors_from_a_lack_of_descriptors_are_recognised()
    {
        Assert.True(OpenFileLimit.IsReached(new SocketException((int)SocketError.TooManyOpenSockets)));
        Assert.False(OpenFileLimit.IsReached(new SocketException((int)SocketError.ConnectionRefused)));
        Assert.False(OpenFileLimit.IsReached(new FileNotFoundException()));
        Assert.False(OpenFileLimit.IsReached(null));
        if (!OperatingSystem.IsWindows())
        {
            Assert.True(OpenFileLimit.IsReached(new IOException("Too many open files", hresult: 24)));
            Assert.True(OpenFileLimit.IsReached(new IOException("Too many open files in system", hresult: 23)));
        }
    }
}
