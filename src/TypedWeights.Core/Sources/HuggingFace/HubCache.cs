using System.Text;
using System.Text.RegularExpressions;
using TypedWeights.Files;
using TypedWeights.Format;
using TypedWeights.Sources.File;

namespace TypedWeights.Sources.HuggingFace;

/// <summary>
/// What the hub's own tools have downloaded: <c>models--org--name/snapshots/COMMIT/FILE</c>, mostly links to <c>blobs</c>, and
/// <c>refs/REVISION</c> with the commit of the revision at that time.
/// </summary>
internal sealed partial class HubCache(string folder, HubUri uri)
{
    private const int RefLimit = 1 << 10;

    private readonly string _repository = Path.Combine(folder, "models--" + uri.Repository.Replace("/", "--", StringComparison.Ordinal));

    /// <summary>Whether a text is a commit, and no branch or tag.</summary>
    public static bool IsCommit(string text) => text.Length == 40 && text.All(char.IsAsciiHexDigitLower);

    /// <summary>The commit of a revision when it was downloaded last; null if it never was.</summary>
    public string? CommitOf(string revision)
    {
        if (IsCommit(revision))
        {
            return revision;
        }

        try
        {
            bool isSafe = !revision.Split('/', '\\').Any(static part => part is "" or "." or "..");
            string commit = isSafe ? Encoding.UTF8.GetString(SmallFile.Read(Path.Combine(_repository, "refs", revision), RefLimit)).Trim() : "";
            return IsCommit(commit) ? commit : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The model on disk, if it is whole.</summary>
    /// <param name="commit">The commit.</param>
    /// <param name="entryName">The entry, if it is known.</param>
    /// <returns>null if a file is missing or cannot be read.</returns>
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

    /// <summary>
    /// Why the files on disk cannot be used, as a sentence without its full stop: this user may not read them, links lead nowhere, or one is not a
    /// regular file. null if they are just not there.
    /// </summary>
    public string? Flaw(string revision)
    {
        string snapshot = Path.Combine(_repository, "snapshots", CommitOf(revision) ?? "", uri.Folder);
        return FlawOfFolder(folder) ?? FlawOfFolder(_repository) ?? FlawOfFile(Path.Combine(_repository, "refs", revision))
            ?? FlawOfFolder(snapshot)
            ?? (!Directory.Exists(snapshot) ? null : Directory.EnumerateFiles(snapshot).Where(IsOfModel).Select(FlawOfFile)
                .FirstOrDefault(static flaw => flaw is not null));
    }

    /// <summary>As <see cref="Find"/>, for an unknown entry, whose name the hub would state.</summary>
    /// <returns>null also if the file on disk may not be the model.</returns>
    public FileLocation? FindUsual(string commit) =>
        Find(commit, null) is { } found && FolderEntry.UsualNames.Contains(found.EntryName, StringComparer.Ordinal) ? found : null;

    private static string? Entry(string snapshot, string display)
    {
        try
        {
            // A shard without its index is not a model.
            string name = FolderEntry.Find(snapshot, display);
            return ShardName().IsMatch(name) ? null : name;
        }
        catch (Exception e) when (e is WeightSourceException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // A download of the hub's tools that was cut short leaves the index without some of its shards.
    private static bool IsComplete(string snapshot, string display, string name)
    {
        string path = Path.Combine(snapshot, name);
        if (!IsThere(path) || !name.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return IsThere(path);
        }

        try
        {
            return ShardIndex.Read(SmallFile.Read(path, ShardIndex.LengthLimit), display + "/" + name).Shards
                .All(shard => IsThere(Path.Combine(snapshot, shard)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SafeTensorsFormatException)
        {
            return false;
        }
    }

    // What counts as a file for .NET may be a link to a blob that was removed, a pipe, or a file that this user may not read.
    private static bool IsThere(string path) => FaultOf(path) is null;

    private static Exception? FaultOf(string path)
    {
        try
        {
            SmallFile.Open(path).Dispose();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e;
        }
    }

    private static string? FlawOfFolder(string path) => Denial.OfUse(path) ?? (Directory.Exists(path) ? null : Absence.OfFolder(path));

    private static string? FlawOfFile(string path) => FaultOf(path) switch
    {
        null => null,
        RefusedFileException refused => refused.Message.TrimEnd('.'),
        _ => Denial.OfRead(path, path) ?? Absence.Of(path, path),
    };

    private static bool IsOfModel(string path) => path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)
        || path.EndsWith(".safetensors.index.json", StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"-\d{5}-of-\d{5}\.safetensors$", RegexOptions.IgnoreCase)]
    private static partial Regex ShardName();
}
