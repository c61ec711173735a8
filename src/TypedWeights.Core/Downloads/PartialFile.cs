using System.IO.Hashing;
using TypedWeights.Files;

namespace TypedWeights.Downloads;

/// <summary>
/// A file that is written part by part in any order, with a journal of its parts (<c>PATH.jsonl</c>) beside it. The end of the process,
/// however sudden, loses only the parts that are being written. A download has the path <c>NAME.partial</c> until it is whole and gets its
/// name; a copy in a cache has its own path from the start.
/// </summary>
/// <remarks>One process at a time has it open: the lock on the file says so.</remarks>
internal sealed class PartialFile : IAsyncDisposable
{
    /// <summary>What the name of a download ends with until it is whole.</summary>
    public const string Suffix = ".partial";

    /// <summary>What the name of a journal adds to that of its file.</summary>
    public const string JournalSuffix = ".jsonl";

    private const int MostLooks = 10;

    private LockedFile _file;
    private PartJournal _journal;
    private (FileIdentity File, long JournalLength)? _paused;
    private bool _isOver;

    private PartialFile(string target, string path, SourceIdentity identity, LockedFile file, PartJournal journal)
    {
        Target = target;
        Path = path;
        Identity = identity;
        _file = file;
        _journal = journal;
    }

    /// <summary>The file that it becomes, in full.</summary>
    public string Target { get; }

    /// <summary>The path of the partial file.</summary>
    public string Path { get; }

    /// <summary>What is being written.</summary>
    public SourceIdentity Identity { get; }

    /// <summary>Why what an earlier process left could not be used, as the end of a sentence; null if there was nothing, or it is used.</summary>
    public string? StartedOver { get; private init; }

    /// <summary>The parts that have been written.</summary>
    public PartMap Parts { get; private init; } = new();

    /// <summary>The number of bytes that have been written.</summary>
    public long Finished => Parts.Total;

    /// <summary>The bytes that are missing, in ascending order.</summary>
    public IReadOnlyList<(long Offset, long Length)> Missing => Parts.Missing(0, Identity.Length);

    /// <summary>Whether a later process can resume from the existing parts.</summary>
    public bool CanResume => !_isOver && Identity.IsCertain && Finished > 0;

    private string JournalPath => JournalOf(Path);

    /// <summary>The journal of a file.</summary>
    public static string JournalOf(string path) => path + JournalSuffix;

    /// <summary>Starts or resumes a download: the parts that the journal lists are read and compared with their hashes.</summary>
    /// <param name="path">The file that it is to become; where it is a symbolic link, what <see cref="TargetFile.Of"/> says.</param>
    /// <param name="identity">What will be written.</param>
    /// <param name="verified">Is called with the number of bytes of each read.</param>
    /// <param name="cancellationToken">Ends the reading; nothing is changed.</param>
    /// <exception cref="WeightsException">Another process is writing it, or it cannot be written there.</exception>
    public static ValueTask<PartialFile> OpenAsync(
        string path, SourceIdentity identity, Action<long> verified, CancellationToken cancellationToken) =>
        OpenAsync(path, identity, verified, isThisUsers: true, keepsOthersOut: false, cancellationToken);

    /// <summary>
    /// Starts or resumes a copy in a cache, whose folder has been checked. Its parts are not read now: the code that uses a part compares it with
    /// its hash.
    /// </summary>
    /// <param name="path">The copy.</param>
    /// <param name="identity">What will be written.</param>
    /// <param name="keepsOthersOut">Whether the files are made so that only their owner may write to them, whatever the umask.</param>
    /// <param name="cancellationToken">Ends the reading of the journal; nothing is changed.</param>
    /// <exception cref="WeightsException">Another process is writing it, or it cannot be written there.</exception>
    public static ValueTask<PartialFile> OpenCopyAsync(
        string path, SourceIdentity identity, bool keepsOthersOut, CancellationToken cancellationToken) =>
        OpenAsync(path, identity, verified: null, isThisUsers: false, keepsOthersOut, cancellationToken);

    /// <summary>
    /// Closes the file until <see cref="Resume"/>: a model may have more files than a process may have open. While it is closed, it is not locked.
    /// </summary>
    public void Pause()
    {
        _paused = (FileIdentity.Of(_file.Handle), _journal.Length);
        _journal.Dispose();
        _file.Dispose();
    }

    /// <summary>Opens a paused file again.</summary>
    /// <exception cref="WeightsException">Another process is writing it, or wrote to it while it was closed.</exception>
    public void Resume()
    {
        if (_paused is not { } before)
        {
            return;
        }

        try
        {
            _file = OpenAlone(Path, isThisUsers: true, keepsOthersOut: false);
            if (FileIdentity.Of(_file.Handle) != before.File)
            {
                _file.Dispose();
                throw new WeightsException($"{Path}: another process wrote to this file; download it again.");
            }

            _journal = PartJournal.Append(JournalPath, before.JournalLength, isThisUsers: true);
            _paused = null;
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, Target);
        }
    }

    /// <summary>Writes a part and notes it down. Safe for use from many tasks at once, for parts that do not overlap.</summary>
    /// <exception cref="WeightsException">The disk is full, or writing failed for another reason; the finished parts stay.</exception>
    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await RandomAccess.WriteAsync(_file.Handle, bytes, offset, cancellationToken).ConfigureAwait(false);
            var part = new FinishedPart(offset, bytes.Length, XxHash128.HashToUInt128(bytes.Span));
            _journal.Add(part);
            Parts.Add(part, isSound: true);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, Target);
        }
    }

    /// <summary>Reads back what was written.</summary>
    public async ValueTask<byte[]> ReadAsync(long offset, int length, CancellationToken cancellationToken)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>(length);
        for (int read = 0; read < length;)
        {
            int count = await ReadAsync(bytes.AsMemory(read), offset + read, cancellationToken).ConfigureAwait(false);
            read += count > 0 ? count : throw new WeightsException($"{Path}: it was truncated while it was written.");
        }

        return bytes;
    }

    /// <summary>Reads back some of what was written.</summary>
    /// <returns>The number of bytes; 0 at the end of the file.</returns>
    public ValueTask<int> ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken) =>
        RandomAccess.ReadAsync(_file.Handle, destination, offset, cancellationToken);

    /// <summary>Returns when what was written is on the disk: a rename before that could leave an empty file after a power failure.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Cancelled, the file does not get its name, and the next download compares every byte with its hash.
            await DiskFlush.RunAsync(_file.Handle, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, Target);
        }
    }

    /// <summary>Fails where <see cref="Publish"/> is bound to, before anything has changed: several files may be of use only together.</summary>
    /// <exception cref="WeightsException">The file has been replaced, or this user may not replace what has its name.</exception>
    public void ThrowUnlessPublishable()
    {
        ThrowIfReplaced();
        if (Denial.OfReplacement(Target) is { } denied)
        {
            throw new WeightsException($"{Target}: {denied}.");
        }
    }

    /// <summary>Renames the file to its target, and replaces an existing file. It is whole and flushed.</summary>
    /// <exception cref="WeightsException">It cannot be renamed; it is not changed.</exception>
    public void Publish()
    {
        if (Finished != Identity.Length)
        {
            throw new InvalidOperationException($"{Path} has {Finished} of {Identity.Length} bytes.");
        }

        try
        {
            // If another process removed the file and started another one, that incomplete file would be renamed.
            ThrowIfReplaced();
            UnixFileMode? mode = TargetFile.ModeOf(Target);
            SetMode(_file, mode, mayWrite: true);
            _journal.Dispose();
            Close(() =>
            {
                File.Move(Path, Target, overwrite: true);

                // Not before: if the file cannot be renamed, the next download has to open it for writing.
                SetMode(_file, mode, mayWrite: false);
            });
            _isOver = true;
            TryDelete(JournalPath);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, Target);
        }
    }

    /// <summary>Closes the file and removes it with its journal, unless another download has replaced it.</summary>
    public void Discard()
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        _journal.Dispose();
        string[] paths = _file.HasItsName ? [JournalPath, Path] : [];
        Close(() => Array.ForEach(paths, TryDelete));
    }

    /// <summary>Leaves the parts to a later process; if none could use them, the files are removed.</summary>
    public ValueTask DisposeAsync()
    {
        if (!_isOver && !CanResume)
        {
            try
            {
                Resume();
                Discard();
            }
            catch (Exception e) when (DiskFailure.Is(e) || e is WeightsException)
            {
                // It stays until another download overwrites it.
            }
        }

        _journal.Dispose();
        _file.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async ValueTask<PartialFile> OpenAsync(
        string given, SourceIdentity identity, Action<long>? verified, bool isThisUsers, bool keepsOthersOut, CancellationToken cancellationToken)
    {
        bool isDownload = verified is not null;
        try
        {
            string target = isDownload ? TargetFile.Of(given) : given;
            string path = isDownload ? target + Suffix : target;
            FileSizeLimit.ThrowIfBeyond(given, identity.Length);
            LockedFile file = OpenAlone(path, isThisUsers, keepsOthersOut);
            bool isNew = RandomAccess.GetLength(file.Handle) == 0;
            try
            {
                PartNotes noted = PartJournal.Read(JournalOf(path), cancellationToken, isThisUsers);
                string? startedOver = isNew ? null : identity.Refuse(noted.Identity);
                PartMap parts = isNew || startedOver is not null ? new PartMap() : PartMap.OfNotes(noted.Parts);
                if (verified is not null)
                {
                    parts = await PartCheck.SoundOfAsync(
                        (memory, at, token) => RandomAccess.ReadAsync(file.Handle, memory, at, token), parts, verified, cancellationToken)
                        .ConfigureAwait(false);
                }

                isNew = parts.Total == 0;
                if (isNew)
                {
                    // Without the bytes of another file, and sparse where the file system can: the disk space is taken as parts come.
                    RandomAccess.SetLength(file.Handle, 0);
                }

                SetMode(file, isDownload ? TargetFile.ModeOf(target) : null, mayWrite: true);
                RandomAccess.SetLength(file.Handle, identity.Length);
                PartJournal journal = isNew
                    ? PartJournal.Create(JournalOf(path), identity, isThisUsers, keepsOthersOut)
                    : PartJournal.Append(JournalOf(path), noted.Length, isThisUsers);
                return new PartialFile(target, path, identity, file, journal) { StartedOver = startedOver, Parts = parts };
            }
            catch
            {
                using (file)
                {
                    if (isNew && file.HasItsName)
                    {
                        TryDelete(JournalOf(path));
                        TryDelete(path);
                    }
                }

                throw;
            }
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, given, given, given + Suffix, given + Suffix + JournalSuffix);
        }
    }

    // Creates the file if it is missing. Other processes cannot open it in this way until it is closed.
    private static LockedFile OpenAlone(string path, bool isThisUsers, bool keepsOthersOut)
    {
        try
        {
            for (int look = 1; ; look++)
            {
                LockedFile file = OwnFile.OpenOrCreate(path, FileAccess.ReadWrite, FileShare.None, isThisUsers, keepsOthersOut);

                // Between the opening and the lock, another process may have finished the file, and a third one may have begun the next.
                if (file.HasItsName || look == MostLooks)
                {
                    return file;
                }

                file.Dispose();
            }
        }
        catch (IOException e) when (DiskFailure.IsLocked(e))
        {
            throw new WeightsException($"{path}: another download is writing this file; wait for it, or choose another name.", e);
        }
    }

    // What cannot be removed, such as a folder in the place of the journal, stays: it is no reason to leave the other file, nor to report
    // this instead of what went wrong before.
    private static void TryDelete(string path)
    {
        try
        {
            if (OwnFile.IsFile(path))
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            // The next download reports it if it is in its way.
        }
    }

    private static void SetMode(LockedFile file, UnixFileMode? mode, bool mayWrite)
    {
        UnixFileMode? wanted = mayWrite ? mode | UnixFileMode.UserRead | UnixFileMode.UserWrite : mode;
        if (wanted is { } value && !OperatingSystem.IsWindows() && File.GetUnixFileMode(file.Handle) != value)
        {
            File.SetUnixFileMode(file.Handle, value);
        }
    }

    private void ThrowIfReplaced()
    {
        if (!_file.HasItsName)
        {
            throw new WeightsException(
                $"{Path}: the file was removed or replaced while it was written, perhaps by another download; start again.");
        }
    }

    // An open file keeps its lock until it has its name, so no other process starts to write it; Windows does not rename a file that is locked.
    private void Close(Action act)
    {
        if (OperatingSystem.IsWindows())
        {
            _file.Dispose();
        }

        act();
        _file.Dispose();
    }
}
