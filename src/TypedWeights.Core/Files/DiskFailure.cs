namespace TypedWeights.Files;

/// <summary>Explains in one sentence why a file cannot be written.</summary>
internal static class DiskFailure
{
    private const int Windows = unchecked((int)0x8007_0000);

    public static bool Is(Exception e) => e is IOException or UnauthorizedAccessException or NotSupportedException || FileSizeLimit.IsBeyond(e);

    /// <param name="e">The error.</param>
    /// <param name="path">The file that is written.</param>
    /// <param name="shown">The file as it is shown; null for its path.</param>
    /// <param name="beside">Files that are written beside it.</param>
    public static WeightsException Of(Exception e, string path, string? shown = null, params IEnumerable<string> beside)
    {
        shown ??= path;
        return e switch
        {
            RefusedFileException => new WeightsException(e.Message, e),
            UnauthorizedAccessException => new WeightsException(
                $"{shown}: {beside.Prepend(path).Select(Denial.OfWrite).FirstOrDefault(static denied => denied is not null)
                    ?? "this user may not write there"}.",
                e),
            IOException when IsFull(e.HResult) => new WeightsException($"{shown}: the disk is full.", e),
            _ when OpenFileLimit.IsReached(e) => new WeightsException($"{shown}: {OpenFileLimit.Sentence}.", e),
            _ when FileSizeLimit.IsBeyond(e) => new WeightsException(FileSizeLimit.Describe(e, shown) + ".", e),
            _ => new WeightsException($"{shown}: writing failed: {e.Message.TrimEnd('.')}.", e),
        };
    }

    /// <summary>Whether a file could not be opened because another process has locked it.</summary>
    public static bool IsLocked(IOException e) => OperatingSystem.IsWindows()
        ? e.HResult is Windows + 32 or Windows + 33
        : e.HResult is 11 or 35; // EWOULDBLOCK, of Linux and of macOS

    // ENOSPC, EDQUOT of Linux and of macOS; ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL.
    private static bool IsFull(int code) => OperatingSystem.IsWindows() ? code is Windows + 39 or Windows + 112 : code is 28 or 122 or 69;
}
