using TypedWeights.Files;
using TypedWeights.Snapshots;

namespace TypedWeights.Tool.Snapshots;

/// <summary>Snapshots on disk.</summary>
internal static class SnapshotStore
{
    // More than a snapshot of millions of tensors has.
    private const int LengthLimit = 1 << 30;

    // Every snapshot says so of itself, also one that a merge has spoiled.
    private static ReadOnlySpan<byte> Mark => "typedweights.snapshot/"u8;

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
        byte[] bytes = SnapshotWriter.Write(snapshot);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path.Full)!);
            string target = TargetFile.Of(path.Full);
            if (File.Exists(target))
            {
                byte[] before = SmallFile.Read(target, LengthLimit);
                if (bytes.AsSpan().SequenceEqual(before))
                {
                    return false;
                }

                WeightSnapshot? known = TryRead(before);
                losesDigests = HasDigests(known) && !HasDigests(snapshot);
                if (!path.IsChosen && known?.Source is { } source && source != snapshot.Source)
                {
                    throw new ToolException(
                        ExitCodes.Usage,
                        $"{path.Shown} is the snapshot of {source}; give this one another class with --class NAME, "
                            + $"or replace that one with -o {path.Shown}");
                }

                if (!path.IsChosen && known is null && before.AsSpan().IndexOf(Mark) < 0)
                {
                    throw new ToolException(
                        ExitCodes.Usage,
                        $"{path.Shown} is there already and is no snapshot; give this one another class with --class NAME, "
                            + $"or replace that file with -o {path.Shown}");
                }
            }

            using var file = ReplacementFile.Create(target, TargetFile.ModeOf(target));
            file.Stream.Write(bytes);
            file.Commit();
            return true;
        }
        catch (RefusedFileException e)
        {
            throw new ToolException(ExitCodes.Usage, e.Message, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string reason = DanglingLink.Explain(path.Full)
                ?? (e is UnauthorizedAccessException ? Denial.OfWrite(path.Full) ?? Denial.OfRead(path.Full) : null) ?? e.Message;
            throw new ToolException(ExitCodes.Failed, $"{path.Shown}: the snapshot cannot be written: {reason.TrimEnd('.')}.", e);
        }
    }

    /// <summary>Reads a snapshot.</summary>
    /// <exception cref="ToolException">It cannot be read, or is none.</exception>
    public static WeightSnapshot Read(SnapshotFilePath path)
    {
        byte[] bytes;
        try
        {
            bytes = SmallFile.Read(path.Full, LengthLimit);
        }
        catch (RefusedFileException e)
        {
            throw new ToolException(ExitCodes.Failed, e.Message, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string reason = DanglingLink.Explain(path.Full)
                ?? "the snapshot cannot be read: " + ((e is UnauthorizedAccessException ? Denial.OfRead(path.Full) : null) ?? e.Message);
            throw new ToolException(ExitCodes.Failed, $"{path.Shown}: {reason.TrimEnd('.')}.", e);
        }

        try
        {
            return SnapshotReader.Read(bytes);
        }
        catch (SnapshotFormatException e)
        {
            int line = 1 + bytes.AsSpan(0, Math.Min(e.Position, bytes.Length)).Count((byte)'\n');
            throw new ToolException(ExitCodes.Failed, $"{path.Shown}:{line}: {e.Message}", e);
        }
    }

    private static bool HasDigests(WeightSnapshot? snapshot) => snapshot?.Tensors.Any(static tensor => tensor.Sha256 is not null) ?? false;

    private static WeightSnapshot? TryRead(byte[] bytes)
    {
        try
        {
            return SnapshotReader.Read(bytes);
        }
        catch (SnapshotFormatException)
        {
            // Broken, so there is nothing to lose.
            return null;
        }
    }
}
