using TypedWeights.Files;

namespace TypedWeights.Downloads;

/// <summary>Says in one sentence why a file cannot be written.</summary>
internal static class DiskFailure
{
    private const int Windows = unchecked((int)0x8007_0000);

    public static bool Is(Exception e) => e is IOException or UnauthorizedAccessException or NotSupportedException || FileSizeLimit.IsBeyond(e);

    public static WeightsException Of(Exception e, string path) => e switch
    {
        UnauthorizedAccessException => new WeightsException($"{path}: this user may not write there; check the permissions of the folder.", e),
        IOException when IsFull(e.HResult) => new WeightsException($"{path}: the disk is full.", e),
        _ when ReopenableFile.IsTooMany(e) => new WeightsException(
            $"{path}: no more files can be opened: this process may have {ProcessLimits.OpenFiles} open at once; raise the limit (ulimit -n).", e),
        _ when FileSizeLimit.IsBeyond(e) => new WeightsException(FileSizeLimit.Describe(e, path) + ".", e),
        _ => new WeightsException($"{path}: writing failed: {e.Message.TrimEnd('.')}.", e),
    };

    /// <summary>Whether a file could not be opened because somebody else has it locked.</summary>
    public static bool IsLocked(IOException e) => OperatingSystem.IsWindows()
        ? e.HResult is Windows + 32 or Windows + 33
        : e.HResult is 11 or 35; // EWOULDBLOCK, of Linux and of macOS

    // ENOSPC, EDQUOT of Linux and of macOS; ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL.
    private static bool IsFull(int code) => OperatingSystem.IsWindows() ? code is Windows + 39 or Windows + 112 : code is 28 or 122 or 69;
}
