using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>A file that is to appear at once and whole, over whatever has its name.</summary>
internal static class TargetFile
{
    /// <summary>The file that a path means: where it is a symbolic link, the file it leads to.</summary>
    /// <exception cref="IOException">The path is a folder, a pipe or a device, or its folder does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not look into a folder on the way.</exception>
    public static string Of(string path)
    {
        string full = Path.GetFullPath(path);
        string target = new FileInfo(full).LinkTarget is null ? full : File.ResolveLinkTarget(full, returnFinalTarget: true)!.FullName;
        if (Directory.Exists(target))
        {
            throw new IOException($"{path} is a folder; give the name of a file in it.");
        }

        if (File.Exists(target) && IsPipeOrDevice(target))
        {
            throw new IOException($"{path} is a pipe or device; give the name of a file.");
        }

        if (Directory.Exists(Path.GetDirectoryName(target)))
        {
            return target;
        }

        throw Denial.OfSight(target) is { } denied
            ? new UnauthorizedAccessException($"{path}: {denied}.")
            : new DirectoryNotFoundException($"There is no folder for {path}; make it first.");
    }

    /// <summary>The permissions of the file that is there: one that was its owner's alone stays so. Null for the system's own default.</summary>
    public static UnixFileMode? ModeOf(string target) =>
        !OperatingSystem.IsWindows() && File.Exists(target) ? File.GetUnixFileMode(target) : null;

    // A rename would put a file in its place. .NET does not say which files are which: the folders of devices do, and a pipe has no
    // length to give. Opening one both ways does not wait for somebody at its other end.
    private static bool IsPipeOrDevice(string target)
    {
        if (OperatingSystem.IsWindows())
        {
            return false;
        }

        if (target.StartsWith("/dev/", StringComparison.Ordinal) || target.StartsWith("/proc/", StringComparison.Ordinal))
        {
            return !target.StartsWith("/dev/shm/", StringComparison.Ordinal);
        }

        if (new FileInfo(target).Length > 0)
        {
            return false;
        }

        try
        {
            using SafeFileHandle handle = File.OpenHandle(target, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            _ = RandomAccess.GetLength(handle);
            return false;
        }
        catch (NotSupportedException)
        {
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            // Not to be written to, and replaced all the same, as a rename is a matter of the folder.
            return false;
        }
    }
}
