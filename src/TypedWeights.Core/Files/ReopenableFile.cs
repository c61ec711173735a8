using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>
/// A file that is open while it is read. Of very many files, which a model may have more of than a process may have open, each is closed
/// when nobody reads it; it is then opened again by its path, and must still be the same file.
/// </summary>
internal sealed class ReopenableFile : IDisposable
{
    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly bool _isOurs;
    private readonly OpenFiles _openFiles;
    private readonly bool _isKept;
    private LockedFile? _file;
    private int _users;
    private bool _isDisposed;

    private ReopenableFile(string path, bool isOurs, OpenFiles openFiles)
    {
        (_path, _isOurs, _openFiles) = (path, isOurs, openFiles);
        _isKept = openFiles.TryKeep();
        try
        {
            _file = OpenFile();
            Identity = FileIdentity.Of(_file.Handle);

            // As the files of /proc, whose bytes the system makes up while they are read.
            if (!isOurs && Identity.Length == 0 && RandomAccess.Read(_file.Handle, new byte[1], 0) > 0)
            {
                throw new RefusedFileException(path, "this file has bytes but no length, like the files of /proc; a regular file is expected");
            }

            CloseUnlessKept();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The file and its state when it was opened.</summary>
    public FileIdentity Identity { get; }

    /// <summary>Opens a file.</summary>
    /// <param name="path">Its path in full: the current folder may change until it is opened again.</param>
    /// <param name="isOurs">
    /// Whether it is a file of ours, which <see cref="OwnFile"/> opens. It may be written to meanwhile: its bytes are checked some other way.
    /// </param>
    /// <param name="openFiles">Those of the process, except in tests.</param>
    /// <exception cref="IOException">It is not a regular file, or cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static ReopenableFile Open(string path, bool isOurs = false, OpenFiles? openFiles = null) =>
        new(path, isOurs, openFiles ?? OpenFiles.OfProcess);

    /// <summary>The open file, until it is returned.</summary>
    /// <exception cref="IOException">It cannot be opened again, or is not the same file any more.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it any more.</exception>
    public SafeFileHandle Rent()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _file ??= Reopen();
            _users++;
            return _file.Handle;
        }
    }

    /// <summary>Ends the use of the open file.</summary>
    public void Return()
    {
        lock (_lock)
        {
            if (--_users == 0)
            {
                CloseUnlessKept();
            }
        }
    }

    /// <summary>Reads bytes at a position.</summary>
    /// <returns>The number of bytes; 0 at the end of the file.</returns>
    /// <exception cref="IOException">As <see cref="Rent"/>, or they cannot be read.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> destination, long position, CancellationToken cancellationToken)
    {
        SafeFileHandle handle = Rent();
        try
        {
            return await RandomAccess.ReadAsync(handle, destination, position, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Return();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_isKept && !_isDisposed)
            {
                _openFiles.Release();
            }

            _isDisposed = true;
            _file?.Dispose();
        }
    }

    private void CloseUnlessKept()
    {
        if (!_isKept)
        {
            _file?.Dispose();
            _file = null;
        }
    }

    private LockedFile Reopen()
    {
        LockedFile file = OpenFile();
        FileIdentity found = FileIdentity.Of(file.Handle);
        if ((_isOurs ? found with { Modified = Identity.Modified } : found) == Identity)
        {
            return file;
        }

        file.Dispose();
        throw new IOException("the file was replaced or written to since the load opened it; load it again");
    }

    // Deleting and renaming stay allowed, so that the file can be saved again while it is read.
    private LockedFile OpenFile() => _isOurs
        ? OwnFile.Open(_path, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
        : new LockedFile(SmallFile.Open(_path), _path);
}

/// <summary>The files that stay open while nobody reads them: a bounded number in the whole process.</summary>
/// <param name="most">How many may be open.</param>
internal sealed class OpenFiles(int most)
{
    // Enough for any usual model, and never more than a part of what the process may have open: sockets and others need some too.
    private const int Most = 256;
    private const int Least = 4;
    private const int PartOfLimit = 8;

    private int _count;

    /// <summary>Those of this process.</summary>
    public static OpenFiles OfProcess { get; } =
        new((int)Math.Clamp((ProcessLimits.OpenFiles ?? int.MaxValue) / PartOfLimit, Least, Most));

    /// <summary>How many are open.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Takes a place for a file, until <see cref="Release"/>.</summary>
    /// <returns>false if there is none left.</returns>
    public bool TryKeep()
    {
        if (Interlocked.Increment(ref _count) <= most)
        {
            return true;
        }

        Release();
        return false;
    }

    /// <summary>Releases one of the files.</summary>
    public void Release() => Interlocked.Decrement(ref _count);
}
