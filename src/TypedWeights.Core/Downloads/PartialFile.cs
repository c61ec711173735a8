using System.IO.Hashing;
using TypedWeights.Files;

namespace TypedWeights.Downloads;

/// <summary>
/// A file on its way to the disk: <c>NAME.partial</c> and its journal <c>NAME.partial.jsonl</c> beside the file it becomes. Parts come in
/// any order; the end of the process, however sudden, loses only those under way. It becomes <c>NAME</c> at once, when it is whole.
/// </summary>
/// <remarks>One process at a time has it open: the lock on the partial file says so.</remarks>
internal sealed class PartialFile : IAsyncDisposable
{
    /// <summary>What the name of a partial file ends with.</summary>
    public const string Suffix = ".partial";

    /// <summary>What the name of its journal ends with.</summary>
    public const string JournalSuffix = ".partial.jsonl";

    private readonly bool _keepsOthersOut;
    private LockedFile _file;
    private HeldName _name;
    private PartJournal _journal;
    private FileIdentity? _paused;
    private bool _isOver;

    private PartialFile(
        string target, SourceIdentity identity, LockedFile file, HeldName name, PartRecovery.Result found, bool keepsOthersOut)
    {
        Target = target;
        Identity = identity;
        _file = file;
        _name = name;
        _journal = found.Journal;
        Parts = found.Parts;
        StartedOver = found.StartedOver;
        _keepsOthersOut = keepsOthersOut;
    }

    /// <summary>The file that it becomes, in full.</summary>
    public string Target { get; }

    /// <summary>What is being written.</summary>
    public SourceIdentity Identity { get; }

    /// <summary>Where the bytes are meanwhile.</summary>
    public string PartialPath => Target + Suffix;

    /// <summary>Why what an earlier download left could not be used, as the end of a sentence; null where there was nothing, or it is used.</summary>
    public string? StartedOver { get; }

    /// <summary>Bytes that are there.</summary>
    public long Finished => Parts.Total;

    /// <summary>Bytes that are not, in order.</summary>
    public IReadOnlyList<(long Offset, long Length)> Missing => Parts.Missing(Identity.Length);

    /// <summary>What is there, part by part.</summary>
    public PartMap Parts { get; }

    /// <summary>Whether a later download would go on from what is there.</summary>
    public bool CanResume => !_isOver && Identity.IsCertain && Finished > 0;

    private string JournalPath => Target + JournalSuffix;

    /// <summary>Where the journal of a finished file is, where one was kept.</summary>
    public static string JournalOf(string target) => target + ".jsonl";

    /// <summary>Makes a finished file with its journal, in which something is missing, a partial one again. The caller has it locked.</summary>
    public static void Reopen(string target)
    {
        string journal = JournalOf(target);
        if (File.Exists(journal))
        {
            File.Move(journal, target + JournalSuffix, overwrite: true);
        }

        File.Move(target, target + Suffix, overwrite: true);
    }

    /// <summary>Begins a file, or goes on with one: what the journal calls finished is read and held against its hashes.</summary>
    /// <param name="path">The file that it is to become; where it is a symbolic link, what <see cref="TargetFile.Of"/> says.</param>
    /// <param name="identity">What will be written.</param>
    /// <param name="verified">
    /// Is told of bytes as they are verified; null where nothing is verified now, and whoever uses a part checks it before.
    /// </param>
    /// <param name="cancellationToken">Ends the verification; everything stays as it was.</param>
    /// <param name="isInCache">
    /// Whether the file lies in a folder of a cache, whose files are no links, and whose other users the cache has judged.
    /// </param>
    /// <param name="keepsOthersOut">Whether the files are made so that their owner alone may write to them, whatever the umask.</param>
    /// <exception cref="WeightsException">Another process is writing it, or it cannot be written there.</exception>
    public static async ValueTask<PartialFile> OpenAsync(
        string path,
        SourceIdentity identity,
        Action<long>? verified,
        CancellationToken cancellationToken,
        bool isInCache = false,
        bool keepsOthersOut = false)
    {
        try
        {
            string target = isInCache ? path : TargetFile.Of(path);
            FileSizeLimit.ThrowIfBeyond(path, identity.Length);
            LockedFile file = PartialLock.Open(target + Suffix, isThisUsers: !isInCache, keepsOthersOut);
            var name = new HeldName(file.Handle, target + Suffix);
            try
            {
                PartRecovery.Result found = await PartRecovery.RunAsync(
                    file.Handle,
                    target + JournalSuffix,
                    identity,
                    ModeFor(target, keepsOthersOut),
                    isThisUsers: !isInCache,
                    keepsOthersOut,
                    verified,
                    cancellationToken).ConfigureAwait(false);
                return new PartialFile(target, identity, file, name, found, keepsOthersOut);
            }
            catch
            {
                // Nothing is in it: nothing of it stays.
                if (RandomAccess.GetLength(file.Handle) == 0 && name.IsHeld)
                {
                    DeleteJournal(target + JournalSuffix);
                    File.Delete(target + Suffix);
                }

                file.Dispose();
                throw;
            }
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, path, path, path + Suffix, path + JournalSuffix);
        }
    }

    /// <summary>
    /// Closes the file until <see cref="Resume"/>: a model may have more files than a process may have open. Meanwhile it is not locked.
    /// </summary>
    public void Pause()
    {
        _journal.Dispose();
        _paused = FileIdentity.Of(_file.Handle);
        _file.Dispose();
    }

    /// <summary>Opens the file again where it was closed.</summary>
    /// <exception cref="WeightsException">Another process is writing it, or has written it meanwhile.</exception>
    public void Resume()
    {
        if (_paused is not { } before)
        {
            return;
        }

        try
        {
            _file = PartialLock.Open(PartialPath, isThisUsers: true);
            if (FileIdentity.Of(_file.Handle) != before)
            {
                _file.Dispose();
                throw new WeightsException($"{PartialPath}: another process has written this file meanwhile; download it again.");
            }

            _name = new HeldName(_file.Handle, PartialPath);
            _journal = PartJournal.Append(JournalPath);
            _paused = null;
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, Target);
        }
    }

    /// <summary>Writes a part and notes it down. Safe for use from many tasks at once, for parts that do not overlap.</summary>
    /// <exception cref="WeightsException">The disk is full, or writing failed for another reason; what was finished stays.</exception>
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

    /// <summary>Writes the right bytes over damaged ones, which the journal has noted down already.</summary>
    public ValueTask MendAsync(FinishedPart part, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        RandomAccess.WriteAsync(_file.Handle, bytes, part.Offset, cancellationToken);

    /// <summary>Reads back what was written.</summary>
    public async ValueTask<byte[]> ReadAsync(long offset, int length, CancellationToken cancellationToken)
    {
        byte[] bytes = GC.AllocateUninitializedArray<byte>(length);
        for (int read = 0; read < length;)
        {
            int count = await ReadAsync(bytes.AsMemory(read), offset + read, cancellationToken).ConfigureAwait(false);
            read += count > 0 ? count : throw new WeightsException($"{PartialPath}: it was cut while it was written.");
        }

        return bytes;
    }

    /// <summary>Reads back some of what was written.</summary>
    /// <returns>How many bytes came; 0 at the end of the file.</returns>
    public ValueTask<int> ReadAsync(Memory<byte> destination, long offset, CancellationToken cancellationToken) =>
        RandomAccess.ReadAsync(_file.Handle, destination, offset, cancellationToken);

    /// <summary>Returns when what was written is on the disk: a rename before that could leave an empty file after a power failure.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Cancelled, the file does not get its name, and the next download holds every byte against its hash.
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

    /// <summary>Gives the file its name, over whatever had it. It is whole and flushed.</summary>
    /// <param name="keepsJournal">Whether the parts and their hashes stay beside the file, as <see cref="JournalOf"/>.</param>
    /// <exception cref="WeightsException">It cannot be renamed; it stays as it is.</exception>
    public void Publish(bool keepsJournal = false)
    {
        if (Finished != Identity.Length)
        {
            throw new InvalidOperationException($"{PartialPath} has {Finished} of {Identity.Length} bytes.");
        }

        try
        {
            // Whoever removed the file and began another would find that one renamed, with whatever is in it so far.
            ThrowIfReplaced();
            UnixFileMode? mode = ModeFor(Target, _keepsOthersOut);
            SetMode(mode | UnixFileMode.UserRead | UnixFileMode.UserWrite);

            _journal.Dispose();
            if (keepsJournal)
            {
                // First: a journal without its file says nothing, and a file without its journal would have to be fetched again.
                PartJournal.Write(JournalOf(Target), Identity, Parts.Parts, TargetFile.ModeOf(JournalPath), _keepsOthersOut);
            }

            Release(() =>
            {
                File.Move(PartialPath, Target, overwrite: true);

                // Not before: where the file may not be renamed, the next download has to open it for writing.
                SetMode(mode);
            });
            _isOver = true;
            DeleteJournal(JournalPath);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw DiskFailure.Of(e, Target);
        }
    }

    /// <summary>Removes what there is: it has turned out to be of no use.</summary>
    public void Discard()
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        _journal.Dispose();
        Release(() =>
        {
            // Those of another download, which has begun since somebody removed this one's, stay.
            if (_name.IsHeld)
            {
                File.Delete(JournalPath);
                File.Delete(PartialPath);
            }
        });
    }

    /// <summary>Leaves what is there to a later download; what none could use is removed.</summary>
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
                // It stays, and is overwritten some day.
            }
        }

        _journal.Dispose();
        _file.Dispose();
        return ValueTask.CompletedTask;
    }

    // Where it is no file of ours, a folder perhaps, that has been said, and it stays.
    private static void DeleteJournal(string path)
    {
        if (OwnFile.IsFile(path))
        {
            File.Delete(path);
        }
    }

    private void ThrowIfReplaced()
    {
        if (!_name.IsHeld)
        {
            throw new WeightsException(
                $"{PartialPath}: the file was removed or replaced while it was written, perhaps by another download; start again.");
        }
    }

    private static UnixFileMode? ModeFor(string target, bool keepsOthersOut) =>
        TargetFile.ModeOf(target) & (keepsOthersOut ? ~OwnFile.WriteOfOthers : ~UnixFileMode.None);

    private void SetMode(UnixFileMode? mode)
    {
        if (mode is { } value && !OperatingSystem.IsWindows() && File.GetUnixFileMode(_file.Handle) != value)
        {
            File.SetUnixFileMode(_file.Handle, value);
        }
    }

    // An open file keeps its lock until it has its name, so that nobody else begins on it; Windows renames none that is locked.
    private void Release(Action act)
    {
        if (OperatingSystem.IsWindows())
        {
            _file.Dispose();
        }

        act();
        _file.Dispose();
    }
}
