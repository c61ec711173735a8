using TypedWeights.Checkpoints;
using TypedWeights.Snapshots;
using TypedWeights.Sources;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Snapshots;

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

        if (snapshot.Tensors.Any(static tensor => tensor.Sha256 is not null))
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
