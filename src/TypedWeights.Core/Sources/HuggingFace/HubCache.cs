using TypedWeights.Checkpoints;
using TypedWeights.Sources.File;

namespace TypedWeights.Sources.HuggingFace;

/// <summary>
/// What the hub's own tools have downloaded: <c>models--org--name/snapshots/COMMIT/FILE</c>, mostly links to <c>blobs</c>, and
/// <c>refs/REVISION</c> with the commit that a revision was at the time.
/// </summary>
internal sealed class HubCache(string folder, HubUri uri)
{
    private readonly string _repository = Path.Combine(folder, "models--" + uri.Repository.Replace("/", "--", StringComparison.Ordinal));

    /// <summary>Whether a text is a commit, and no branch or tag.</summary>
    public static bool IsCommit(string text) => text.Length == 40 && text.All(char.IsAsciiHexDigitLower);

    /// <summary>The commit that a revision was when it was downloaded last; null where it never was.</summary>
    public string? CommitOf(string revision)
    {
        if (IsCommit(revision))
        {
            return revision;
        }

        try
        {
            bool isSafe = !revision.Split('/', '\\').Any(static part => part is "" or "." or "..");
            string commit = isSafe ? System.IO.File.ReadAllText(Path.Combine(_repository, "refs", revision)).Trim() : "";
            return IsCommit(commit) ? commit : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The model on disk, if all of it is there.</summary>
    /// <param name="commit">The commit.</param>
    /// <param name="entryName">The entry, if it is known.</param>
    /// <returns>null where a file is missing.</returns>
    public FileLocation? Find(string commit, string? entryName)
    {
        string snapshot = Path.Combine(_repository, "snapshots", commit, uri.Folder);
        if (!Directory.Exists(snapshot))
        {
            return null;
        }

        string display = snapshot.Replace('\\', '/').TrimEnd('/');
        string? name = entryName ?? Entry(snapshot, display);
        return name is not null && IsComplete(snapshot, display, name) ? new FileLocation(snapshot, display, name, commit) : null;
    }

    private static string? Entry(string snapshot, string display)
    {
        try
        {
            return FolderEntry.Find(snapshot, display);
        }
        catch (WeightSourceException)
        {
            return null;
        }
    }

    // A download of the hub's tools that was cut short leaves the index without some of its shards.
    private static bool IsComplete(string snapshot, string display, string name)
    {
        string path = Path.Combine(snapshot, name);
        if (!System.IO.File.Exists(path) || !name.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return System.IO.File.Exists(path);
        }

        try
        {
            return new FileInfo(path).Length <= ShardIndex.LengthLimit
                && ShardIndex.Read(System.IO.File.ReadAllBytes(path), display + "/" + name).Shards
                    .All(shard => System.IO.File.Exists(Path.Combine(snapshot, shard)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SafeTensorsFormatException)
        {
            return false;
        }
    }
}
