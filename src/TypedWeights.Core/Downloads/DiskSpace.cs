namespace TypedWeights.Downloads;

/// <summary>Reports a disk that is too small before the first byte is written.</summary>
internal static class DiskSpace
{
    /// <summary>Throws if the disk of a folder has less free space than is needed. If that is not known, writing shows it.</summary>
    /// <param name="path">A file in an existing folder.</param>
    /// <param name="needed">The bytes that are to be written.</param>
    /// <exception cref="WeightsException">There is less free space.</exception>
    public static void ThrowUnlessRoom(string path, long needed)
    {
        long free = FreeAt(Path.GetDirectoryName(path)!);
        if (free < needed)
        {
            throw new WeightsException(
                $"{path}: {needed} more bytes are needed, but the disk has only {free} free; free some space, or choose another folder.");
        }
    }

    private static long FreeAt(string folder)
    {
        try
        {
            // On Unix any path names its file system; on Windows only a drive does.
            return new DriveInfo(OperatingSystem.IsWindows() ? Path.GetPathRoot(folder)! : folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return long.MaxValue;
        }
    }
}
