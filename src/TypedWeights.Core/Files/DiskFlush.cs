using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>
/// Waits until what was written to a file is on the disk. The system takes minutes where a disk is slow, has no asynchronous form of it and
/// breaks it off for nobody: who cancels leaves it behind, and may not rely on what was written.
/// </summary>
internal static class DiskFlush
{
    /// <summary>Returns when all that was written is on the disk, or at once when it is cancelled.</summary>
    /// <param name="file">The file; closed meanwhile, it stays open until the system is done.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="IOException">The disk failed.</exception>
    public static Task RunAsync(SafeFileHandle file, CancellationToken cancellationToken) =>
        RunAsync(() => RandomAccess.FlushToDisk(file), cancellationToken);

    internal static Task RunAsync(Action flush, CancellationToken cancellationToken) =>
        Task.Run(flush, cancellationToken).WaitAsync(cancellationToken);
}
