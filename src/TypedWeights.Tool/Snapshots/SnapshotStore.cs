using System.Globalization;
using TypedWeights.Files;
using TypedWeights.Memory;
using TypedWeights.Snapshots;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Snapshots;

/// <summary>Snapshots on disk.</summary>
internal static class SnapshotStore
{
    // Larger than a snapshot of millions of tensors.
    private const int LengthLimit = 1 << 30;

    // Part of every snapshot, also of one that a merge has damaged.
    private static ReadOnlySpan<byte> Mark => "typedweights.snapshot/"u8;

    /// <summary>Writes a snapshot so that a reader sees the old file or the new one, never a part.</summary>
    /// <param name="path">The file.</param>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="cancellationToken">Ends the writing; the old file stays.</param>
    /// <returns>
    /// Whether the file was written, which it is not if it already has exactly these bytes; and whether its digests were lost.
    /// </returns>
    /// <exception cref="ToolException">
    /// The file cannot be written, or it is not a snapshot of the same source and the user did not name it.
    /// </exception>
    public static async Task<(bool IsWritten, bool LosesDigests)> WriteAsync(
        SnapshotFilePath path, WeightSnapshot snapshot, CancellationToken cancellationToken)
    {
        try
        {
            TargetFile.MakeFolderOf(path.Full);
            string target = TargetFile.Of(path.Full);
            byte[] text = SnapshotWriter.Write(snapshot);
            bool losesDigests = false;
            if (File.Exists(target))
            {
                if (LengthOf(target) == text.Length && SmallFile.Read(target, text.Length).AsSpan().SequenceEqual(text))
                {
                    ReplacementFile.RemoveAbandoned(Path.GetDirectoryName(target)!);
                    return (false, false);
                }

                WeightSnapshot? known = Replaceable(path, snapshot);
                losesDigests = HasDigests(known) && !HasDigests(snapshot);
            }

            using var file = ReplacementFile.Create(target, mode: null, text.Length);
            try
            {
                await file.Stream.WriteAsync(text, cancellationToken);
                await file.CommitAsync(cancellationToken);
            }
            catch (IOException e) when (file.Named(e) is { } named)
            {
                throw named;
            }

            return (true, losesDigests);
        }
        catch (RefusedFileException e)
        {
            throw new ToolException(ExitCodes.Usage, e.Message, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The existing file is read first, so its permissions come first.
            string reason = Absence.Of(path.Full)
                ?? (e is UnauthorizedAccessException ? Denial.OfRead(path.Full) ?? Denial.OfReplacement(path.Full) : null) ?? e.Message;
            throw new ToolException(ExitCodes.Failed, $"{path.Shown}: the snapshot cannot be written: {reason.TrimEnd('.')}.", e);
        }
    }

    /// <summary>Reads a snapshot.</summary>
    /// <exception cref="ToolException">It cannot be read, or is not valid.</exception>
    public static WeightSnapshot Read(SnapshotFilePath path)
    {
        byte[] bytes = [];
        try
        {
            bytes = ReadBytes(path);
            return SnapshotReader.Read(bytes);
        }
        catch (SnapshotFormatException e)
        {
            int line = 1 + bytes.AsSpan(0, Math.Min(e.Position, bytes.Length)).Count((byte)'\n');
            throw new ToolException(ExitCodes.Failed, $"{path.Shown}:{line}: {e.Message}", e);
        }
        catch (RefusedFileException e)
        {
            throw new ToolException(ExitCodes.Failed, e.Message, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            string reason = Absence.Of(path.Full)
                ?? "the snapshot cannot be read: " + ((e is UnauthorizedAccessException ? Denial.OfRead(path.Full) : null) ?? e.Message);
            throw new ToolException(ExitCodes.Failed, $"{path.Shown}: {reason.TrimEnd('.')}.", e);
        }
    }

    /// <summary>Whether a snapshot has the digests of its tensors.</summary>
    public static bool HasDigests(WeightSnapshot? snapshot) => snapshot?.Tensors.Any(static tensor => tensor.Sha256 is not null) ?? false;

    // The snapshot that a file holds, which may be replaced; null for a damaged one, or for another file that the user named.
    private static WeightSnapshot? Replaceable(SnapshotFilePath path, WeightSnapshot by)
    {
        byte[] bytes = ReadBytes(path);
        WeightSnapshot? known = null;
        try
        {
            known = SnapshotReader.Read(bytes);
        }
        catch (SnapshotFormatException)
        {
            // A damaged snapshot has nothing to lose.
        }

        if (!path.IsChosen && known is not null && known.Source != by.Source)
        {
            throw new ToolException(
                ExitCodes.Usage,
                $"{path.Shown} is the snapshot of {known.Source}; choose another class name with --class NAME, "
                    + $"or replace that snapshot with -o {path.Shown}");
        }

        return path.IsChosen || known is not null || bytes.AsSpan().IndexOf(Mark) >= 0
            ? known
            : throw new ToolException(
                ExitCodes.Usage,
                $"{path.Shown} exists and is not a snapshot; choose another class name with --class NAME, "
                    + $"or replace that file with -o {path.Shown}");
    }

    private static long LengthOf(string path)
    {
        using var handle = SmallFile.Open(path);
        return RandomAccess.GetLength(handle);
    }

    private static byte[] ReadBytes(SnapshotFilePath path)
    {
        long length = LengthOf(path.Full);
        if (length <= LengthLimit)
        {
            string what = string.Create(CultureInfo.InvariantCulture, $"a snapshot of {length:N0} bytes");
            new HeaderBudget(MemoryBound.Of(null)).Take(path.Shown, HeaderBudget.MemoryOfText(length), what);
        }

        return SmallFile.Read(path.Full, LengthLimit);
    }
}
