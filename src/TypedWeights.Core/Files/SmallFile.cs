using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>Reads files that are short by their nature: never more than a limit, and never a pipe or a device that has the name.</summary>
internal static class SmallFile
{
    private const int FirstBuffer = 64 << 10;

    /// <summary>Reads all of a file of ours; a link is not followed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <exception cref="IOException">It is longer, is no regular file, or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static byte[] ReadOwn(string path, int limit)
    {
        using LockedFile file = OwnFile.Open(path, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return Read(file.Handle, path, limit);
    }

    /// <summary>Reads all of a file that somebody named; links are followed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <exception cref="IOException">It is longer, is no regular file, or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static byte[] Read(string path, int limit)
    {
        using SafeFileHandle file = Open(path);
        return Read(file, path, limit);
    }

    /// <summary>Opens a regular file that somebody named, for reading; links are followed.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">It is no regular file, or cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static SafeFileHandle Open(string path)
    {
        SafeFileHandle file = LibC.IsSupported
            ? UnixFile.Open(path, FileAccess.Read, followsLinks: true)
            : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (LibC.IsSupported && LibC.TryFacts(file, out FileFacts facts) && !facts.IsFile)
        {
            file.Dispose();
            throw new RefusedFileException(path, $"this is {facts.Kind}, and a regular file is expected");
        }

        return file;
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
