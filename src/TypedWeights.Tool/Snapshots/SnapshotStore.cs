using TypedWeights.Files;
using TypedWeights.Memory;
using TypedWeights.Snapshots;

namespace TypedWeights.Tool.Snapshots;

/// <summary>Snapshots on disk.</summary>
internal static class SnapshotStore
{
    /// <summary>Writes a snapshot so that a reader sees the old file or the new one, never a part.</summary>
    /// <param name="path">Where.</param>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="losesDigests">Whether the file held digests, and the snapshot has none.</param>
    /// <returns>False when the file already held exactly these bytes and was not touched.</returns>
    /// <exception cref="ToolException">
    /// The file cannot be written, or it is the snapshot of another source and nobody said that it should be replaced.
    /// </exception>
    public static bool Write(SnapshotFilePath path, WeightSnapshot snapshot, out bool losesDigests)
    {
        losesDigests = false;
        try
        {
            bool exists = File.Exists(path.Full);
            if (exists)
            {
                RefuseDevice(path);
            }

            if (SnapshotProbe.IsIn(snapshot, exists ? path.Full : null, out long length))
            {
                return false;
            }

            if (exists)
            {
                (string Source, string Class, bool HasDigests)? known = WithBytes(path, static bytes => SnapshotProbe.Glance(bytes));
                losesDigests = known is { HasDigests: true } && !snapshot.Tensors.Any(static tensor => tensor.Sha256 is not null);
                if (!path.IsChosen && known?.Source is { } source && source != snapshot.Source)
                {
                    throw new ToolException(
                        ExitCodes.Usage,
                        $"{path.Shown} is the snapshot of {source}; give this one another class with --class NAME, "
                            + $"or replace that one with -o {path.Shown}");
                }
            }

            Directory.CreateDirectory(Path.GetDirectoryName(path.Full)!);
            WriteAtomically(path.Full, snapshot, length);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCodes.Failed, $"{path.Shown}: the snapshot cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Reads a snapshot.</summary>
    /// <exception cref="ToolException">It cannot be read, or is none.</exception>
    public static WeightSnapshot Read(SnapshotFilePath path) => Reading(path, bytes =>
    {
        try
        {
            return SnapshotReader.Read(bytes);
        }
        catch (SnapshotFormatException e)
        {
            int line = 1 + bytes[..Math.Min(e.Position, bytes.Length)].Count((byte)'\n');
            throw new ToolException(ExitCodes.Failed, $"{path.Shown}:{line}: {e.Message}", e);
        }
    });

    /// <summary>The source and the class of a snapshot; null where it has none, as one that cannot be read whole.</summary>
    /// <exception cref="ToolException">It cannot be read.</exception>
    public static (string Source, string Class)? Glance(SnapshotFilePath path) =>
        Reading(path, static bytes => SnapshotProbe.Glance(bytes)) is var (source, className, _) ? (source, className) : null;

    /// <summary>Whether the file holds exactly this snapshot.</summary>
    /// <exception cref="ToolException">It cannot be read.</exception>
    public static bool Holds(SnapshotFilePath path, WeightSnapshot snapshot)
    {
        try
        {
            return SnapshotProbe.IsIn(snapshot, path.Full, out _);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e);
        }
    }

    private static ToolException Unreadable(SnapshotFilePath path, Exception e) =>
        new(ExitCodes.Failed, $"{path.Shown}: the snapshot cannot be read: {e.Message}", e);

    private static T Reading<T>(SnapshotFilePath path, BytesReader<T> read)
    {
        try
        {
            return WithBytes(path, read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e);
        }
    }

    // Outside the managed heap, so that the text of a million tensors is gone once it has been read.
    private static unsafe T WithBytes<T>(SnapshotFilePath path, BytesReader<T> read)
    {
        using FileStream file = File.OpenRead(path.Full);
        if (!file.CanSeek || file.Length is 0 or > int.MaxValue)
        {
            return read(File.ReadAllBytes(path.Full));
        }

        using var region = HeapRegion.Allocate(file.Length);
        var bytes = new Span<byte>((void*)region.Address, (int)file.Length);
        return read(bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)]);
    }

    private delegate T BytesReader<out T>(ReadOnlySpan<byte> bytes);

    // A device would be replaced by a file, and reading a pipe waits for ever. .NET does not say which files are which; their folders do.
    private static void RefuseDevice(SnapshotFilePath path)
    {
        string target = new FileInfo(path.Full) is { LinkTarget: not null } link
            ? link.ResolveLinkTarget(returnFinalTarget: true)!.FullName
            : path.Full;
        if (target.StartsWith("/dev/", StringComparison.Ordinal) || target.StartsWith("/proc/", StringComparison.Ordinal))
        {
            throw new ToolException(ExitCodes.Usage, $"{path.Shown} is a pipe or device; give the name of a file");
        }
    }

    // In the same folder, so that the move is a rename; a link is written through, not replaced.
    private static void WriteAtomically(string path, WeightSnapshot snapshot, long length)
    {
        string target = File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path : path;
        string temporary = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Path.GetRandomFileName()}");
        FileSizeLimit.ThrowIfBeyond(path, length);
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                SnapshotWriter.Write(snapshot, stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
