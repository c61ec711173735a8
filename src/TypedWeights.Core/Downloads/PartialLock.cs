using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Downloads;

/// <summary>Opens a partial file for one process alone.</summary>
internal static class PartialLock
{
    /// <returns>The file, made where there was none; whoever else opens it so is refused until it is closed.</returns>
    /// <exception cref="WeightsException">Somebody else has it open.</exception>
    public static SafeFileHandle Open(string path)
    {
        while (true)
        {
            SafeFileHandle handle = OpenOnce(path);

            // The name may have gone, with the file, between the opening and the lock: another process has just finished it.
            if (File.Exists(path))
            {
                return handle;
            }

            handle.Dispose();
        }
    }

    private static SafeFileHandle OpenOnce(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (DiskFailure.IsLocked(e))
        {
            throw new WeightsException($"{path}: another download is writing this file; wait for it, or choose another name.", e);
        }
    }
}
