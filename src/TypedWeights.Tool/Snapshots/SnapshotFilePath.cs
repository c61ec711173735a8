using TypedWeights.Checkpoints;
using TypedWeights.Snapshots;
using TypedWeights.Sources;
using TypedWeights.Tool.Downloads;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Snapshots;

/// <summary>The path of a snapshot.</summary>
/// <param name="Full">The full path.</param>
/// <param name="Shown">The path as it is printed.</param>
/// <param name="IsChosen">Whether the user named the file; then an existing one may be replaced.</param>
internal sealed record SnapshotFilePath(string Full, string Shown, bool IsChosen)
{
    private const string Folder = "weights";

    /// <summary>What every snapshot's name ends with.</summary>
    public const string Extension = ".weights.json";

    /// <summary>Whether the props of the package pass the file to the generator.</summary>
    public bool IsSeenByGenerator => Full.EndsWith(Extension, StringComparison.Ordinal);

    /// <summary>The folder that relative sources start from: the parent of <c>weights</c>, else the folder of the file.</summary>
    public string ProjectFolder
    {
        get
        {
            string folder = Path.GetDirectoryName(Full)!;
            return Path.GetFileName(folder).Equals(Folder, StringComparison.OrdinalIgnoreCase) ? Path.GetDirectoryName(folder) ?? folder : folder;
        }
    }

    /// <summary>
    /// The folder in a project's folder whose snapshots are found without being named: <c>weights</c>, or <c>Weights</c> if only that
    /// one exists. The package's targets look into both.
    /// </summary>
    public static string FolderIn(string project) =>
        !Directory.Exists(Path.Combine(project, Folder)) && Directory.Exists(Path.Combine(project, "Weights")) ? "Weights" : Folder;

    /// <summary>Where a new snapshot goes.</summary>
    /// <param name="context">The process.</param>
    /// <param name="snapshot">The snapshot; the file is named after its class.</param>
    /// <param name="output">The file, or the folder to put it into; null for <c>weights/&lt;Class&gt;.weights.json</c>.</param>
    /// <exception cref="ToolException">The name after the class is that of a device on Windows.</exception>
    public static SnapshotFilePath For(ToolContext context, WeightSnapshot snapshot, string? output)
    {
        string name = snapshot.Class + Extension;
        string full = context.FullPath(output ?? Path.Combine(FolderIn(context.CurrentDirectory), name));
        bool isFolder = output is not null && (Path.EndsInDirectorySeparator(output) || Directory.Exists(full));
        if ((output is null || isFolder) && ForeignName.Refuse(name, Extension) is { } reason)
        {
            throw new ToolException(ExitCodes.Usage, $"{name} {reason}; choose another class name with --class NAME.");
        }

        full = isFolder ? Path.Combine(full, name) : full;
        return new SnapshotFilePath(full, context.ShortPath(full), IsChosen: output is not null && !isFolder);
    }
}

/// <summary>The command that takes a snapshot again, as it can be pasted into a shell.</summary>
internal static class RepairCommand
{
    /// <summary>Writes the command.</summary>
    /// <param name="context">The process.</param>
    /// <param name="path">The snapshot's file.</param>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="folder">The folder in which the snapshot's source was found.</param>
    public static string Of(ToolContext context, SnapshotFilePath path, WeightSnapshot snapshot, string folder)
    {
        var words = new List<string>();
        if (folder != context.CurrentDirectory)
        {
            words.AddRange(["cd", Quote(context.ShortPath(folder)), "&&"]);
        }

        words.AddRange(["typedweights", "snapshot", Quote(snapshot.Source)]);
        string derived = SnapshotClassName.For(WeightUri.Parse(snapshot.Source));
        string usual = Path.Combine(folder, SnapshotFilePath.FolderIn(folder), snapshot.Class + SnapshotFilePath.Extension);
        if (usual != path.Full)
        {
            string output = Path.GetRelativePath(folder, path.Full).Replace('\\', '/');
            words.AddRange(["-o", Quote(output)]);
        }

        if (derived != snapshot.Class)
        {
            words.AddRange(["--class", Quote(snapshot.Class)]);
        }

        if (SnapshotStore.HasDigests(snapshot))
        {
            words.Add("--digest");
        }

        return string.Join(' ', words);
    }

    private static string Quote(string word)
    {
        if (word.Length > 0 && word.All(static c => char.IsAsciiLetterOrDigit(c) || "/.:-_@=+,%~".Contains(c, StringComparison.Ordinal)))
        {
            return word;
        }

        return OperatingSystem.IsWindows() ? $"\"{word}\"" : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }
}
