using TypedWeights.Files;

namespace TypedWeights.Tests.Format;

public sealed class DeniedTargetTests : IDisposable
{
    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly TempFolder _folder = new();

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserExecute, "write to the folder {0} (write permission is missing)")]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite, "search the folder {0} (execute permission is missing)")]
    [InlineData(UnixFileMode.None, "search the folder {0} (execute permission is missing)")]
    public async Task A_denied_save_is_reported_with_the_target_and_the_missing_permission(UnixFileMode mode, string says)
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("Modes bind no administrator, and Windows has none.");
            return;
        }

        string target = _folder["closed/a.safetensors"];
        Directory.CreateDirectory(_folder["closed"]);
        File.SetUnixFileMode(_folder["closed"], mode);

        var e = await Assert.ThrowsAsync<UnauthorizedAccessException>(
            () => SafeTensorsWriter.WriteAsync(target, [], cancellationToken: TestContext.Current.CancellationToken));

        Assert.StartsWith($"{target}: this user may not ", e.Message, StringComparison.Ordinal);
        Assert.Contains(string.Format(System.Globalization.CultureInfo.InvariantCulture, says, _folder["closed"]), e.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_read_only_file_may_be_replaced_in_a_writable_folder()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes");
            return;
        }

        File.WriteAllText(_folder["a"], "old");
        File.SetUnixFileMode(_folder["a"], UnixFileMode.UserRead);

        Assert.Null(Denial.OfReplacement(_folder["a"]));
        Assert.Null(Denial.OfReplacement(_folder["absent"]));
        Assert.Equal(!Environment.IsPrivilegedProcess, Denial.OfWrite(_folder["a"]) is not null);
    }

    public void Dispose()
    {
        if (!OperatingSystem.IsWindows() && Directory.Exists(_folder["closed"]))
        {
            File.SetUnixFileMode(_folder["closed"], Own);
        }

        _folder.Dispose();
    }
}
