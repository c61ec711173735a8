using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>An open file with the lock of its file share. Disposing it ends the lock before the file is closed.</summary>
/// <remarks>
/// A lock of Unix lasts until every copy of the descriptor is closed. A process that is being started has a copy of each until its program runs,
/// and would keep a file locked that this process has closed. .NET ends the locks that it takes itself in the same way.
/// </remarks>
internal sealed class LockedFile(SafeFileHandle handle) : IDisposable
{
    /// <summary>What is read from and written to. To close the handle alone leaves the lock to its copies.</summary>
    public SafeFileHandle Handle => handle;

    public void Dispose()
    {
        if (LibC.IsSupported && !handle.IsClosed)
        {
            UnixFile.Unlock(handle);
        }

        handle.Dispose();
    }
}
