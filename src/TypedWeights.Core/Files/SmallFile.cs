using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>Reads files that are short by their nature: never more than a limit, and never a pipe or a device that has the name.</summary>
internal static class SmallFile
{
    private const int FirstBuffer = 64 << 10;

    /// <summary>Reads all of a file of ours; a link is not followed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <exception cref="IOException">It is longer, is not a regular file, or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static byte[] ReadOwn(string path, int limit)
    {
        using LockedFile file = OwnFile.Open(path, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return Read(file.Handle, path, limit);
    }

    /// <summary>Reads all of a file that somebody named; links are followed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <exception cref="IOException">It is longer, is not a regular file, or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static byte[] Read(string path, int limit)
    {
        using SafeFileHandle file = Open(path);
        return Read(file, path, limit);
    }

    /// <summary>Opens a regular file that somebody named, for reading; links are followed.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">It is not a regular file, or cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static SafeFileHandle Open(string path)
    {
        // Looked at first, as opening a pipe waits for its other end.
        PathWalk.End end = PathWalk.EndOf(path);
        if (end.Exists && !end.Facts.IsFile)
        {
            throw new RefusedFileException(path, $"this is {end.Facts.Kind}, and a regular file is expected");
        }

        SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

        // It is not a file of ours, so others may lock it.
        LibC.Unlock(file);
        return file;
    }

    /// <summary>
    /// Explains why a file of settings must not be read by somebody else, such as an SDK or the runtime, which would wait for a pipe.
    /// </summary>
    /// <returns>
    /// A sentence without its full stop; null for a regular file, for a missing one, and for the null device, which many name to have no
    /// settings.
    /// </returns>
    public static string? Refuse(string path)
    {
        try
        {
            if (path != "/dev/null")
            {
                Open(path).Dispose();
            }

            return null;
        }
        catch (RefusedFileException e)
        {
            return e.Reason;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // Whoever reads it reports it.
            return null;
        }
    }

    // Until its end and not by its length: files of /proc have none.
    private static byte[] Read(SafeFileHandle file, string path, int limit)
    {
        long length = RandomAccess.GetLength(file);
        byte[] bytes = length > limit ? [] : new byte[(int)Math.Min(Math.Max(length + 1, FirstBuffer), limit + 1L)];
        int filled = 0;
        while (length <= limit && filled <= limit)
        {
            int count = RandomAccess.Read(file, bytes.AsSpan(filled), filled);
            if (count == 0)
            {
                return bytes[..filled];
            }

            filled += count;
            if (filled == bytes.Length)
            {
                Array.Resize(ref bytes, (int)Math.Min(bytes.Length * 2L, limit + 1L));
            }
        }

        throw new IOException($"{path}: the file is longer than {limit} bytes.");
    }
}
