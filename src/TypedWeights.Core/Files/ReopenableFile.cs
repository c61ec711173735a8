using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Files;

/// <summary>
/// A file that is open while it is read. Between two reads it may be closed, where many others are open; it is then opened again by its
/// path, and must still be the same file.
/// </summary>
internal sealed class ReopenableFile : IDisposable
{
    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly bool _isOurs;
    private readonly OpenFiles _openFiles;
    private LockedFile? _file;
    private int _users;
    private bool _isDisposed;

    private ReopenableFile(string path, bool isOurs, OpenFiles openFiles)
    {
        _path = path;
        _isOurs = isOurs;
        _openFiles = openFiles;
        Idle = new LinkedListNode<ReopenableFile>(this);
        _file = OpenFile();
        try
        {
            Identity = FileIdentity.Of(_file.Handle);

            // As the files of /proc, whose bytes the system makes up while they are read.
            if (!isOurs && Identity.Length == 0 && RandomAccess.Read(_file.Handle, new byte[1], 0) > 0)
            {
                throw new RefusedFileException(path, "this file has bytes and no length, as the files of /proc; a regular file is expected");
            }
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>The file and its state when it was opened.</summary>
    public FileIdentity Identity { get; }

    /// <summary>Its place among <see cref="OpenFiles"/>, which alone changes it.</summary>
    internal LinkedListNode<ReopenableFile> Idle { get; }

    /// <summary>Opens a file.</summary>
    /// <param name="path">Its path in full: the current folder may change until it is opened again.</param>
    /// <param name="isOurs">
    /// Whether it is a file of ours, which <see cref="OwnFile"/> opens. It may be written to meanwhile: its bytes are checked some other way.
    /// </param>
    /// <param name="openFiles">Those of the process, but for tests.</param>
    /// <exception cref="IOException">It is no regular file, or cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static ReopenableFile Open(string path, bool isOurs = false, OpenFiles? openFiles = null)
    {
        var file = new ReopenableFile(path, isOurs, openFiles ?? OpenFiles.OfProcess);
        file._openFiles.Add(file);
        file._openFiles.Trim();
        return file;
    }

    /// <summary>The open file, until it is returned.</summary>
    /// <exception cref="IOException">It cannot be opened again, or is not the same file any more.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it any more.</exception>
    public SafeFileHandle Rent()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _openFiles.Remove(this);
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
            if (--_users > 0 || _isDisposed)
            {
                return;
            }

            _openFiles.Add(this);
        }

        _openFiles.Trim();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _openFiles.Remove(this);
            _file?.Dispose();
        }
    }

    /// <summary>Closes the file unless somebody is reading it again.</summary>
    internal void CloseIfIdle()
    {
        lock (_lock)
        {
            if (_users == 0)
            {
                _file?.Dispose();
                _file = null;
            }
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

    private LockedFile OpenFile()
    {
        while (true)
        {
            try
            {
                // Deleting and renaming stay allowed, so that the file can be saved again while it is read.
                const FileShare Others = FileShare.ReadWrite | FileShare.Delete;
                return _isOurs
                    ? OwnFile.Open(_path, FileAccess.Read, Others)
                    : new LockedFile(SmallFile.Open(_path));
            }
            catch (IOException e) when (OpenFileLimit.IsReached(e) && _openFiles.CloseAll())
            {
                // Some of those that nobody reads were closed: once more.
            }
        }
    }
}
