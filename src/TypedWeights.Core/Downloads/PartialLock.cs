using TypedWeights.Files;

namespace TypedWeights.Downloads;

/// <summary>Opens a partial file for one process alone.</summary>
internal static class PartialLock
{
    private const int MostLooks = 10;

    /// <param name="path">The file.</param>
    /// <param name="isThisUsers">Whether one of another user is refused, in a folder that others may write to.</param>
    /// <param name="keepsOthersOut">Whether a file that is made may be written to by its owner alone.</param>
    /// <returns>The file, made where there was none; whoever else opens it so is refused until it is closed.</returns>
    /// <exception cref="WeightsException">Somebody else has it open.</exception>
    public static LockedFile Open(string path, bool isThisUsers, bool keepsOthersOut = false)
    {
        for (int look = 1; ; look++)
        {
            LockedFile file = OpenOnce(path, isThisUsers, keepsOthersOut);

            // Between the opening and the lock, another process may have finished the file, and a third one may have begun the next. Some
            // network file systems give a file another number each time, which ends here.
            if (OwnFile.HasName(file.Handle, path) || (look >= MostLooks && OwnFile.IsFile(path)))
            {
                return file;
            }

            file.Dispose();
        }
    }

    private static LockedFile OpenOnce(string path, bool isThisUsers, bool keepsOthersOut)
    {
        try
        {
            return OwnFile.OpenOrCreate(path, FileAccess.ReadWrite, FileShare.None, isThisUsers, keepsOthersOut);
        }
        catch (IOException e) when (DiskFailure.IsLocked(e))
        {
            throw new WeightsException($"{path}: another download is writing this file; wait for it, or choose another name.", e);
        }
    }
}
