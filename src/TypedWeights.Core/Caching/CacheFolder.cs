using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Caching;

/// <summary>A file of a cache that could not be removed.</summary>
/// <param name="Path">The file.</param>
/// <param name="Reason">Why, as a sentence without its full stop.</param>
/// <param name="IsInUse">Whether a process is using it; otherwise this user may not remove it.</param>
internal sealed record CacheRemnant(string Path, string Reason, bool IsInUse);

/// <summary>
/// The folder of a cache. Each version of a file is <c>KEY.data</c> with its journal <c>KEY.data.jsonl</c>; what a URI names is
/// <c>KEY.location.json</c>.
/// </summary>
/// <param name="path">The folder.</param>
/// <param name="isTrusted">Whether it is used although others may write to it.</param>
internal sealed class CacheFolder(string path, bool isTrusted = false)
{
    private const string DataSuffix = ".data";

    /// <summary>The folder that the environment names; null for none.</summary>
    public static string? OfEnvironment =>
        Environment.GetEnvironmentVariable("TYPEDWEIGHTS_CACHE") is { } folder && !string.IsNullOrWhiteSpace(folder) ? HomePath.Expand(folder) : null;

    /// <summary>Whether the environment allows its folder although others may write to it.</summary>
    public static bool IsTrustedByEnvironment =>
        Environment.GetEnvironmentVariable("TYPEDWEIGHTS_CACHE_TRUST")?.Trim().ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

    /// <summary>The folder in full.</summary>
    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>Whether only the owner of new files may write to them, whatever the umask.</summary>
    public bool KeepsOthersOut => !isTrusted;

    /// <summary>Why another user may have written what is in the folder, as a sentence without its full stop; null if it is trusted.</summary>
    public string? Distrust() => isTrusted ? null : FolderTrust.Refuse(Path);

    /// <summary>Why another user may have written one of these files, as <see cref="Distrust()"/>: such a file is ignored.</summary>
    public string? Distrust(params IEnumerable<string> paths) =>
        (isTrusted ? [] : paths).Select(FolderTrust.RefuseFile).FirstOrDefault(static reason => reason is not null) is { } reason
            ? $"{reason}, so it is not used; a load with CacheMode.Check replaces it"
            : null;

    /// <summary>The copy of a version.</summary>
    public string PathOf(SourceIdentity identity) => System.IO.Path.Combine(Path, CacheKey.Of(identity) + DataSuffix);

    /// <summary>The files that a copy has.</summary>
    public static string[] FilesOf(string copy) => [copy, PartialFile.JournalOf(copy)];

    /// <summary>Removes the files of a copy that are not trusted: a user who could write to one may still have it open.</summary>
    /// <exception cref="IOException">One cannot be removed.</exception>
    public void RemoveDistrusted(string copy)
    {
        foreach (string path in FilesOf(copy).Where(path => Distrust(path) is not null))
        {
            File.Delete(path);
        }
    }

    /// <summary>Creates the folder if it is missing, accessible only to its owner, because weights and their sources may be secret.</summary>
    /// <exception cref="IOException">It cannot be created, or another process has created it and it is not trusted.</exception>
    public void Make()
    {
        if (!Directory.Exists(Path) && Absence.OfFolder(Path) is { } obstacle)
        {
            throw new IOException(obstacle);
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Path);
        }
        else
        {
            // One by one: the system makes those above it as the umask says, and users who may write to one of them can replace the folder.
            var missing = new Stack<string>();
            for (string? at = Path; at is not null && !Directory.Exists(at); at = System.IO.Path.GetDirectoryName(at))
            {
                missing.Push(at);
            }

            foreach (string folder in missing)
            {
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }

        // Another user may have been quicker, in a folder where everybody may make one.
        if (Distrust() is { } reason)
        {
            throw new IOException(reason);
        }
    }

    /// <summary>Every copy in the folder, the last used first.</summary>
    public IReadOnlyList<CachedItem> List(CancellationToken cancellationToken) => List("", cancellationToken);

    /// <summary>The copies of a source, the last used first.</summary>
    public IReadOnlyList<CachedItem> VersionsOf(string source, CancellationToken cancellationToken) =>
        List(CacheKey.OfSource(source), cancellationToken);

    /// <summary>Removes a copy, unless a process is using it.</summary>
    /// <returns>null if it was removed; otherwise the reason why not.</returns>
    public static CacheRemnant? Remove(string copy)
    {
        try
        {
            LockedFile file = OwnFile.OpenToRemove(copy, FileShare.None);
            using (file)
            {
                if (OperatingSystem.IsWindows())
                {
                    // Windows does not delete an open file.
                    file.Dispose();
                }

                // Before the journal: bytes without a journal are fetched again, and a journal without bytes is of no use to anybody.
                Array.ForEach(FilesOf(copy), File.Delete);
            }

            return null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (RefusedFileException)
        {
            // A link, a pipe or another name of a file: only the name is removed.
            return FilesOf(copy).Select(TryDelete).FirstOrDefault(static remnant => remnant is not null);
        }
        catch (IOException e) when (DiskFailure.IsLocked(e))
        {
            return new CacheRemnant(copy, "it is in use", IsInUse: true);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            return Remnant(copy, e);
        }
    }

    /// <summary>Removes copies that were not used for the longest time until at most some bytes are left.</summary>
    /// <param name="most">How many bytes may stay.</param>
    /// <param name="cancellationToken">Ends it; what is removed by then is gone.</param>
    /// <param name="removed">Is called for each copy that went.</param>
    /// <param name="stayed">Is called for each copy that should have gone.</param>
    /// <returns>The number of bytes that stayed; more than that if the rest is in use, or this user may not remove it.</returns>
    public long Shrink(
        long most, CancellationToken cancellationToken, Action<CachedItem>? removed = null, Action<CacheRemnant>? stayed = null)
    {
        IReadOnlyList<CachedItem> items = List(cancellationToken);
        long bytes = items.Sum(static item => item.Bytes);
        foreach (CachedItem item in items.Reverse())
        {
            cancellationToken.ThrowIfCancellationRequested();

            // To nothing means all, also what has no bytes.
            if (bytes <= most && most > 0)
            {
                break;
            }

            if (Remove(item.Path) is { } remnant)
            {
                stayed?.Invoke(remnant);
            }
            else
            {
                bytes -= item.Bytes;
                removed?.Invoke(item);
            }
        }

        return bytes;
    }

    /// <summary>Removes what is beside the copies: what URIs named, and what ended processes left.</summary>
    /// <returns>What could not be removed.</returns>
    public IReadOnlyList<CacheRemnant> RemoveRemnants()
    {
        ReplacementFile.RemoveAbandoned(Path);
        return
        [
            .. Directory.EnumerateFileSystemEntries(Path).Where(static path => IsOurs(path) && !IsOfCopy(path))
                .Select(TryDelete).OfType<CacheRemnant>(),
        ];
    }

    /// <summary>Notes that a copy is being used.</summary>
    public static void Touch(string journal)
    {
        try
        {
            if (OwnFile.IsFile(journal))
            {
                File.SetLastWriteTimeUtc(journal, DateTime.UtcNow);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder that is read-only keeps the order it has.
        }
    }

    // A cache creates no folders. An empty folder, or a link to one, is removed; a folder with files is not.
    private static CacheRemnant? TryDelete(string path)
    {
        try
        {
            if (Directory.Exists(path))
            {
                Directory.Delete(path);
            }
            else
            {
                File.Delete(path);
            }

            return null;
        }
        catch (IOException) when (Directory.Exists(path))
        {
            return new CacheRemnant(path, "it is a folder that is not empty; remove it yourself", IsInUse: false);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            return Remnant(path, e);
        }
    }

    private static CacheRemnant Remnant(string path, Exception e)
    {
        string? denied = e is UnauthorizedAccessException ? Denial.OfWrite(path) ?? Denial.OfRead(path) : null;
        return new CacheRemnant(path, denied ?? e.Message.TrimEnd('.'), IsInUse: false);
    }

    // The user may have specified a folder that contains other files.
    private static bool IsOurs(string path) => System.IO.Path.GetFileName(path) is var name
        && name.TakeWhile(char.IsAsciiHexDigitLower).Count() == CacheKey.Digits
        && (name.Contains(DataSuffix, StringComparison.Ordinal) || name.Contains(CachedPlace.Suffix, StringComparison.Ordinal));

    // A copy that is in use, or has been made this moment, and its journal.
    private static bool IsOfCopy(string path)
    {
        string copy = path.EndsWith(PartialFile.JournalSuffix, StringComparison.Ordinal) ? path[..^PartialFile.JournalSuffix.Length] : path;
        return copy.EndsWith(DataSuffix, StringComparison.Ordinal) && OwnFile.IsFile(copy);
    }

    private IReadOnlyList<CachedItem> List(string prefix, CancellationToken cancellationToken) => !Directory.Exists(Path) ? [] :
    [
        .. Directory.EnumerateFiles(Path, $"{prefix}*{DataSuffix}").Where(IsOurs)
            .Select(path => CachedItem.At(path, cancellationToken)).OfType<CachedItem>()
            .OrderByDescending(static item => item.LastUse).ThenBy(static item => item.Path, StringComparer.Ordinal),
    ];
}
