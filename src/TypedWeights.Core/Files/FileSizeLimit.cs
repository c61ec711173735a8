using System.Globalization;
using System.Runtime.InteropServices;

namespace TypedWeights.Files;

/// <summary>
/// The limit on the size of files that this process writes. The system ends a process that writes beyond it, unless somebody handles the
/// signal: then the write fails, as any other does.
/// </summary>
internal static class FileSizeLimit
{
    private const PosixSignal FileTooLarge = (PosixSignal)25;

    // The file is too large, on Linux and on macOS.
    private const int TooLarge = 27;

    private static readonly Lock HeedLock = new();
    private static PosixSignalRegistration? _heeded;

    /// <summary>Makes a write beyond the limit fail and not end the process; does nothing if there is no limit.</summary>
    public static void Heed()
    {
        if (OperatingSystem.IsWindows() || ProcessLimits.FileSize is null)
        {
            return;
        }

        lock (HeedLock)
        {
            _heeded ??= PosixSignalRegistration.Create(FileTooLarge, static context => context.Cancel = true);
        }
    }

    /// <summary>Throws for a file that is larger than the limit before anything is written.</summary>
    /// <param name="path">The file as messages show it.</param>
    /// <param name="length">How long it will be.</param>
    /// <exception cref="IOException">The limit is lower.</exception>
    public static void ThrowIfBeyond(string path, long length)
    {
        Heed();
        if (ProcessLimits.FileSize is { } most && length > most)
        {
            throw new IOException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{path}: the file needs {length:N0} bytes, and this process may write files of {most:N0} bytes at most; raise the limit "
                        + $"(ulimit -f)"),
                TooLarge);
        }
    }

    /// <summary>Whether a write failed because the file would have become larger than it may be.</summary>
    public static bool IsBeyond(Exception e) => !OperatingSystem.IsWindows()
        && e is IOException { HResult: TooLarge } or ArgumentOutOfRangeException { ParamName: "value", ActualValue: null };

    /// <summary>What such a failure means, as a sentence without its full stop.</summary>
    public static string Describe(Exception e, string path) => e switch
    {
        IOException { HResult: TooLarge } when e.Message.StartsWith(path, StringComparison.Ordinal) => e.Message,
        _ when ProcessLimits.FileSize is { } most => string.Create(
            CultureInfo.InvariantCulture,
            $"{path}: a file would be larger than the {most:N0} bytes that this process may write; raise the limit (ulimit -f)"),
        _ => $"{path}: the file would be larger than its file system allows",
    };
}
