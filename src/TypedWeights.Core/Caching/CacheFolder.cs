using TypedWeights.Downloads;
using TypedWeights.Files;

namespace TypedWeights.Caching;

/// <summary>
/// The folder of a cache. Each version of a file is <c>KEY.data</c> with its journal <c>KEY.data.jsonl</c>, or, while something of it
/// is missing, <c>KEY.data.partial</c> and <c>KEY.data.partial.jsonl</c>; what a URI names is <c>KEY.location.json</c>.
/// </summary>
internal sealed class CacheFolder
{
    private const string DataSuffix = ".data";

    private readonly bool _isTrusted;

    /// <param name="path">The folder.</param>
    /// <param name="isTrusted">Whether it is used whoever may write to it.</param>
    public CacheFolder(string path, bool isTrusted = false)
    {
        Path = System.IO.Path.GetFullPath(path);
        _isTrusted = isTrusted;
    }

    /// <summary>The folder that the environment names; null for none.</summary>
    public static string? OfEnvironment =>
        Environment.GetEnvironmentVariable("TYPEDWEIGHTS_CACHE") is { } folder && !string.IsNullOrWhiteSpace(folder) ? HomePath.Expand(folder) : null;

    /// <summary>Whether the environment says to use its folder whoever may write to it.</summary>
    public static bool IsTrustedByEnvironment =>
        Environment.GetEnvironmentVariable("TYPEDWEIGHTS_CACHE_TRUST")?.Trim().ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

    /// <summary>The folder in full.</summary>
    public string Path { get; }

    /// <summary>Why what is in the folder may be another user's doing, as a sentence without its full stop; null where it is trusted.</summary>
    public string? Distrust() => _isTrusted ? null : FolderTrust.Refuse(Path);

    /// <summary>Why what is in a file of the folder may be another user's doing, as <see cref="Distrust()"/>: such a file counts as none.</summary>
    public string? Distrust(string path) => _isTrusted || FolderTrust.RefuseFile(path) is not { } reason
        ? null
        : $"{reason}, so that it is not used; a load with CacheMode.Check replaces it";

    /// <summary>Whether files are made so that their owner alone may write to them, whatever the umask.</summary>
    public bool KeepsOthersOut => !_isTrusted;

    /// <summary>The files that a version may have.</summary>
    public static string[] FilesOf(string target) =>
        [target, PartialFile.JournalOf(target), target + PartialFile.Suffix, target + PartialFile.JournalSuffix];

    /// <summary>Removes what there is of a version and is not trusted: whoever could write to a file may have it open still.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public void RemoveDistrusted(string target)
    {
        foreach (string path in FilesOf(target).Where(path => Distrust(path) is not null))
        {
            File.Delete(path);
        }
    }

    /// <summary>Makes the folder where it is not there: its owner's alone, as weights and their sources may be secret.</summary>
    /// <exception cref="IOException">It cannot be made, or it is there by now and not trusted.</exception>
    public void Make()
    {
        if (!Directory.Exists(Path) && MissingFolder.Explain(Path) is { } obstacle)
        {
            throw new IOException(obstacle);
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Path);
        }
        else
        {
            // One by one: the system makes those above it as the umask says, and whoever may write to one of them can replace the folder.
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

    /// <summary>Where a version's bytes are when it is whole.</summary>
    public string TargetOf(string key) => System.IO.Path.Combine(Path, key + DataSuffix);

    /// <summary>Everything in the folder, the last used first.</summary>
    public IReadOnlyList<CachedItem> List() => List("");

    /// <summary>The versions of a source, the last used first.</summary>
    public IReadOnlyList<CachedItem> VersionsOf(string source) => List(CacheKey.OfSource(source));

    /// <summary>Whether there is anything of a source.</summary>
    public bool HasVersionOf(string source)
    {
        try
        {
            return Directory.Exists(Path) && Directory.EnumerateFiles(Path, $"{CacheKey.OfSource(source)}*{DataSuffix}*").Any();
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            // A folder that cannot be looked into, or has just gone, has nothing for a load, and is no reason to fail one.
            return false;
        }
    }

    /// <summary>Removes an item, unless somebody is using it.</summary>
    /// <returns>null where it is gone; else why it stays.</returns>
    public static CacheRemnant? Remove(CachedItem item)
    {
        try
        {
            LockedFile file = OwnFile.OpenToRemove(item.DataPath, FileShare.None);
            using (file)
            {
                if (OperatingSystem.IsWindows())
                {
                    // It deletes none that is open.
                    file.Dispose();
                }

                // Before the journal: bytes without a journal are fetched anew, a journal without bytes is of no use to anybody.
                File.Delete(item.DataPath);
                File.Delete(item.JournalPath);
            }

            return null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (RefusedFileException)
        {
            // A link, a pipe or another name of a file: the name goes, and what it stands for stays.
            return TryDelete(item.DataPath) ?? TryDelete(item.JournalPath);
        }
        catch (IOException e) when (DiskFailure.IsLocked(e))
        {
            return new CacheRemnant(item.DataPath, "it is in use", IsInUse: true);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            return CacheRemnant.Of(item.DataPath, e);
        }
    }

    /// <summary>Removes what was not used for the longest time until no more than some bytes are left.</summary>
    /// <param name="most">How many may stay.</param>
    /// <param name="removed">Is told of each item that went.</param>
    /// <param name="stayed">Is told of each that should have gone.</param>
    /// <returns>How many stayed; more than that where the rest is in use, or this user may not remove it.</returns>
    public long Shrink(long most, Action<CachedItem>? removed = null, Action<CacheRemnant>? stayed = null)
    {
        IReadOnlyList<CachedItem> items = List();
        long bytes = items.Sum(static item => item.Bytes);
        foreach (CachedItem item in items.Reverse())
        {
            // To nothing means all, also what has no bytes.
            if (bytes <= most && most > 0)
            {
                break;
            }

            if (Remove(item) is { } remnant)
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

    /// <summary>Removes what stands beside the items: what URIs named, and what ended processes left.</summary>
    /// <returns>What could not be removed.</returns>
    public IReadOnlyList<CacheRemnant> RemoveRemnants()
    {
        ReplacementFile.RemoveAbandoned(Path);
        string[] files = [.. Directory.EnumerateFiles(Path).Where(static path => IsOurs(path) && !IsOfSomething(path))];
        string[] folders = [.. Directory.EnumerateDirectories(Path).Where(static path => IsOurs(path + "."))];
        return [.. files.Select(TryDelete).Concat(folders.Select(TryDeleteFolder)).OfType<CacheRemnant>()];
    }

    /// <summary>Notes down that an item is being used.</summary>
    public static void Touch(string journalPath)
    {
        try
        {
            if (OwnFile.IsFile(journalPath))
            {
                File.SetLastWriteTimeUtc(journalPath, DateTime.UtcNow);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder that is read-only keeps the order it has.
        }
    }

    // What stayed, and why; null where it is gone.
    private static CacheRemnant? TryDelete(string path)
    {
        try
        {
            File.Delete(path);
            return null;
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            return CacheRemnant.Of(path, e);
        }
    }

    // No cache makes folders: one that is empty, or a link to one, is in the way and goes; what somebody keeps in another one stays.
    private static CacheRemnant? TryDeleteFolder(string path)
    {
        try
        {
            if (new DirectoryInfo(path).LinkTarget is null && Directory.EnumerateFileSystemEntries(path).Any())
            {
                return new CacheRemnant(path, "it is a folder with something in it; remove it yourself", IsInUse: false);
            }

            Directory.Delete(path);
            return null;
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            return CacheRemnant.Of(path, e);
        }
    }

    // Somebody may have named a folder that holds other things.
    private static bool IsOurs(string path) => System.IO.Path.GetFileName(path) is var name
        && name.TakeWhile(char.IsAsciiHexDigitLower).Count() == CacheKey.Digits
        && (name.Contains(DataSuffix + ".", StringComparison.Ordinal) || name.Contains(CachedPlace.Suffix, StringComparison.Ordinal));

    // Bytes, or the journal of some: an item of now, also of a process that has made it this moment. The journal of a whole file is there
    // before the file has its name.
    private static bool IsOfSomething(string path)
    {
        int end = path.LastIndexOf(DataSuffix + ".", StringComparison.Ordinal);
        if (end <= path.LastIndexOf(System.IO.Path.DirectorySeparatorChar))
        {
            return false;
        }

        string target = path[..(end + DataSuffix.Length)];
        return path == target + PartialFile.Suffix || File.Exists(target + PartialFile.Suffix)
            || (path == PartialFile.JournalOf(target) && File.Exists(target));
    }

    private IReadOnlyList<CachedItem> List(string prefix)
    {
        if (!Directory.Exists(Path))
        {
            return [];
        }

        var items = new List<CachedItem>();
        foreach (string path in Directory.EnumerateFiles(Path, $"{prefix}*{DataSuffix}*"))
        {
            bool isPartial = path.EndsWith(DataSuffix + PartialFile.Suffix, StringComparison.Ordinal);
            string target = isPartial ? path[..^PartialFile.Suffix.Length] : path;
            if (IsOurs(target + ".") && target.EndsWith(DataSuffix, StringComparison.Ordinal) && CachedItem.At(target, !isPartial) is { } item)
            {
                items.Add(item);
            }
        }

        return [.. items.OrderByDescending(static item => item.LastUse).ThenBy(static item => item.Target, StringComparer.Ordinal)];
    }
}
