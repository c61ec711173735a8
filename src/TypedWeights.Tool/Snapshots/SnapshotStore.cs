using System.Globalization;
using Microsoft.Win32.SafeHandles;
using TypedWeights.Files;
using TypedWeights.Memory;
using TypedWeights.Snapshots;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Snapshots;

/// <summary>Snapshots on disk.</summary>
internal static class SnapshotStore
{
    // More than a snapshot of millions of tensors has.
    private const int LengthLimit = 1 << 30;

    private delegate T BytesReader<out T>(ReadOnlySpan<byte> bytes);

    // Every snapshot says so of itself, also one that a merge has spoiled.
    private static ReadOnlySpan<byte> Mark => "typedweights.snapshot/"u8;

    /// <summary>Writes a snapshot so that a reader sees the old file or the new one, never a part.</summary>
    /// <param name="path">Where.</param>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="cancellationToken">Ends the writing; the old file stays.</param>
    /// <returns>
    /// Whether it was written: not where the file already held exactly these bytes; and whether the file held digests, and the snapshot has none.
    /// </returns>
    /// <exception cref="ToolException">
    /// The file cannot be written, or it is the snapshot of another source and nobody said that it should be replaced.
    /// </exception>
    public static async Task<(bool IsWritten, bool LosesDigests)> WriteAsync(
        SnapshotFilePath path, WeightSnapshot snapshot, CancellationToken cancellationToken)
    {
        bool losesDigests = false;
        try
        {
            TargetFile.MakeFolderOf(path.Full);
            string target = TargetFile.Of(path.Full);
            bool exists = File.Exists(target);
            if (SnapshotProbe.IsIn(snapshot, exists ? target : null, out long length))
            {
                ReplacementFile.RemoveAbandoned(Path.GetDirectoryName(target)!);
                return (false, false);
            }

            if (exists)
            {
                ((string Source, string Class, bool HasDigests)? known, bool isSnapshot) = WithBytes(
                    path, static length => length, static bytes => (SnapshotProbe.Glance(bytes), bytes.IndexOf(Mark) >= 0));
                losesDigests = known is { HasDigests: true } && !snapshot.Tensors.Any(static tensor => tensor.Sha256 is not null);
                if (!path.IsChosen && known?.Source is { } source && source != snapshot.Source)
                {
                    throw new ToolException(
                        ExitCodes.Usage,
                        $"{path.Shown} is the snapshot of {source}; give this one another class with --class NAME, "
                            + $"or replace that one with -o {path.Shown}");
                }

                if (!path.IsChosen && known is null && !isSnapshot)
                {
                    throw new ToolException(
                        ExitCodes.Usage,
                        $"{path.Shown} is there already and is no snapshot; give this one another class with --class NAME, "
                            + $"or replace that file with -o {path.Shown}");
                }
            }

            using var file = ReplacementFile.Create(target, mode: null, length);
            try
            {
                SnapshotWriter.Write(snapshot, file.Stream);
                await file.CommitAsync(cancellationToken).ConfigureAwait(false);
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
            // What is there is read first.
            string reason = Absence.Of(path.Full)
                ?? (e is UnauthorizedAccessException ? Denial.OfRead(path.Full) ?? Denial.OfReplacement(path.Full) : null) ?? e.Message;
            throw new ToolException(ExitCodes.Failed, $"{path.Shown}: the snapshot cannot be written: {reason.TrimEnd('.')}.", e);
        }
    }

    /// <summary>Reads a snapshot.</summary>
    /// <exception cref="ToolException">It cannot be read, or is none.</exception>
    public static WeightSnapshot Read(SnapshotFilePath path) => Reading(path, () => WithBytes(path, HeaderBudget.MemoryOfText, bytes =>
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
    }));

    /// <summary>The source and the class of a snapshot; null where it has none, as one that cannot be read whole.</summary>
    /// <exception cref="ToolException">It cannot be read.</exception>
    public static (string Source, string Class)? Glance(SnapshotFilePath path) =>
        Reading(path, () => WithBytes(path, static length => length, static bytes => SnapshotProbe.Glance(bytes))) is var (source, className, _)
            ? (source, className)
            : null;

    /// <summary>Whether the file holds exactly this snapshot.</summary>
    /// <exception cref="ToolException">It cannot be read.</exception>
    public static bool Holds(SnapshotFilePath path, WeightSnapshot snapshot) =>
        Reading(path, () => SnapshotProbe.IsIn(snapshot, path.Full, out _));

    private static T Reading<T>(SnapshotFilePath path, Func<T> read)
    {
        try
        {
            return read();
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

    // Outside the managed heap, so that the text of a million tensors is gone once it has been read.
    private static unsafe T WithBytes<T>(SnapshotFilePath path, Func<long, long> memoryOf, BytesReader<T> read)
    {
        using SafeFileHandle handle = SmallFile.Open(path.Full);
        long length = RandomAccess.GetLength(handle);
        if (length is 0 or > LengthLimit)
        {
            return read(SmallFile.Read(path.Full, LengthLimit));
        }

        long memory = memoryOf(length);
        string what = string.Create(CultureInfo.InvariantCulture, $"a snapshot of {length:N0} bytes");
        new HeaderBudget(BoundFor(memory)).Take(path.Shown, memory, what);
        try
        {
            using var file = new FileStream(handle, FileAccess.Read, bufferSize: 0);
            using var region = HeapRegion.Allocate(length);
            var bytes = new Span<byte>((void*)region.Address, (int)length);
            return read(bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)]);
        }
        catch (OutOfMemoryException e)
        {
            throw new WeightsException(
                string.Create(
                    CultureInfo.InvariantCulture, $"{path.Shown}: the system has no memory for {what}, which takes up to {memory:N0} bytes."),
                e);
        }
    }

    private static MemoryBound BoundFor(long memory)
    {
        var bound = MemoryBound.Of(null);
        if (!bound.Allows(memory))
        {
            // What other snapshots of this command took is garbage that still counts as in use.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
            bound = MemoryBound.Of(null);
        }

        return bound;
    }
}
