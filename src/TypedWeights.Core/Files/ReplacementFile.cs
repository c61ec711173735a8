namespace TypedWeights.Files;

/// <summary>
/// A file that appears under its name at once and whole: it is written beside it under a temporary name, flushed to the disk and renamed.
/// What had the name before, a link also, is replaced and not written through; a reader that has it open keeps the old bytes.
/// </summary>
/// <remarks>
/// The temporary file is locked for as long as it is written. One that nobody has locked was left by a process that was killed, and the next
/// replacement in the same folder removes it.
/// </remarks>
internal sealed class ReplacementFile : IDisposable
{
    private const string Prefix = ".typedweights-";
    private const string Suffix = ".tmp";

    private readonly string _target;
    private readonly string _temporary;
    private readonly UnixFileMode? _mode;
    private readonly LockedFile _file;
    private bool _isRenamed;

    private ReplacementFile(string target, string temporary, UnixFileMode? mode, FileStream stream)
    {
        (_target, _temporary, _mode, Stream) = (target, temporary, mode, stream);
        _file = new LockedFile(stream.SafeFileHandle, temporary);
    }

    /// <summary>What is written.</summary>
    public FileStream Stream { get; }

    /// <summary>Begins a file.</summary>
    /// <param name="target">The name that it is to have, in full; its folder exists.</param>
    /// <param name="mode">Its permissions, whatever the umask; null for <see cref="TargetFile.ModeOf"/>, or the default for a new file.</param>
    /// <param name="length">How many bytes will be written, so that a full disk shows before the first one; 0 if that is not known.</param>
    /// <param name="bufferSize">The bytes of the stream's buffer.</param>
    /// <param name="keepsOthersOut">Whether its owner alone may write to it, whatever else is said of its permissions.</param>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not make files in the folder.</exception>
    public static ReplacementFile Create(
        string target, UnixFileMode? mode = null, long length = 0, int bufferSize = 4096, bool keepsOthersOut = false)
    {
        FileSizeLimit.ThrowIfBeyond(target, length);
        string folder = Path.GetDirectoryName(target)!;
        RemoveAbandoned(folder);
        mode ??= TargetFile.ModeOf(target);
        mode = keepsOthersOut ? mode & ~OwnFile.WriteOfOthers : mode;
        while (true)
        {
            string temporary = Path.Combine(folder, $"{Prefix}{Guid.NewGuid():N}{Suffix}");
            try
            {
                if (TryCreate(temporary, Options(mode, length, bufferSize, keepsOthersOut)) is { } stream)
                {
                    return new ReplacementFile(target, temporary, mode, stream);
                }
            }
            catch (UnauthorizedAccessException e)
            {
                // The system names the temporary file, which does not help the user.
                string denied = Denial.OfReplacement(target) ?? $"this user may not create files in the folder {folder}";
                throw new UnauthorizedAccessException($"{target}: {denied}.", e);
            }
            catch (IOException e) when (Named(e, temporary, target) is { } named)
            {
                throw named;
            }
        }
    }

    /// <summary>An error of the system, as of a full disk, with the file's name in the place of the temporary one.</summary>
    /// <returns>null if it does not name the temporary file.</returns>
    public IOException? Named(IOException e) => Named(e, _temporary, _target);

    /// <summary>Removes the temporary files that ended processes left in a folder.</summary>
    public static void RemoveAbandoned(string folder)
    {
        try
        {
            foreach (string path in Directory.EnumerateFiles(folder, $"{Prefix}*{Suffix}").ToArray())
            {
                RemoveIfAbandoned(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder that may be written to and not listed.
        }
    }

    /// <summary>Renames the file to its target, after its bytes have been flushed to the disk.</summary>
    /// <exception cref="IOException">It cannot be flushed or renamed.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not replace the file that has the name.</exception>
    public void Commit()
    {
        // Renaming a file whose bytes are not yet on the disk could leave an empty one after a power failure.
        Stream.Flush(flushToDisk: true);
        Rename();
    }

    /// <summary>As <see cref="Commit"/>, but returns at once when it is cancelled while the disk is slow.</summary>
    /// <param name="cancellationToken">Ends it before the file has its name.</param>
    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        await Stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        await DiskFlush.RunAsync(Stream.SafeFileHandle, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        Rename();
    }

    /// <summary>Removes the file unless it has its name.</summary>
    public void Dispose()
    {
        if (_isRenamed)
        {
            return;
        }

        try
        {
            // Windows does so once it is closed.
            if (_file.HasItsName)
            {
                File.Delete(_temporary);
            }

            Stream.Dispose();
        }
        catch (IOException)
        {
            // The stream had bytes left for a disk that is full. Why nothing was written has been said.
        }
    }

    private void Rename()
    {
        if (_mode is { } mode && !OperatingSystem.IsWindows() && File.GetUnixFileMode(Stream.SafeFileHandle) != mode)
        {
            File.SetUnixFileMode(Stream.SafeFileHandle, mode);
        }

        if (!_file.HasItsName)
        {
            throw new RefusedFileException(_target, $"{_temporary}, which was to be renamed to this file, was removed or replaced while it was "
                + "written");
        }

        try
        {
            // Before it is closed, or another process could take it for an abandoned one.
            File.Move(_temporary, _target, overwrite: true);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UnauthorizedAccessException($"{_target}: {Denial.OfReplacement(_target) ?? "this user may not replace it"}.", e);
        }

        _isRenamed = true;
        Stream.Dispose();
    }

    private static FileStreamOptions Options(UnixFileMode? mode, long length, int bufferSize, bool keepsOthersOut)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,

            // On Unix this is a shared lock, so that others can read the file as soon as it has its name; Windows renames it while it is open.
            Share = FileShare.Read | FileShare.Delete,
            BufferSize = bufferSize,
            PreallocationSize = length,
        };
        if (!OperatingSystem.IsWindows() && (mode is not null || keepsOthersOut))
        {
            // At most, if nothing else is known: the umask takes more from it.
            const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            options.UnixCreateMode = mode | Own ?? Own | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        }

        return options;
    }

    // null where another process has taken it for an abandoned one in the moment before it was locked.
    private static FileStream? TryCreate(string temporary, FileStreamOptions options)
    {
        FileStream stream;
        try
        {
            stream = new FileStream(temporary, options);
        }
        catch (IOException e) when (DiskFailure.IsLocked(e))
        {
            return null;
        }
        catch (IOException)
        {
            File.Delete(temporary);
            throw;
        }

        if (File.Exists(temporary))
        {
            return stream;
        }

        stream.Dispose();
        return null;
    }

    private static void RemoveIfAbandoned(string path)
    {
        try
        {
            // Where the file system has no locks, nobody knows whether it is abandoned. Windows refuses to open one that is being written.
            using LockedFile file = OwnFile.OpenToRemove(path, FileShare.ReadWrite | FileShare.Delete);
            if (!LibC.IsSupported || LibC.TryLockAlone(file.Handle))
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is being written, or it is not ours.
        }
    }

    private static IOException? Named(IOException e, string temporary, string target) =>
        e.GetType() == typeof(IOException) && e.Message.Contains(temporary, StringComparison.Ordinal)
            ? new IOException(e.Message.Replace(temporary, target, StringComparison.Ordinal), e) { HResult = e.HResult }
            : null;
}
