using TypedWeights.Files;
using TypedWeights.Tool.Arguments;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Snapshots;

/// <summary>Finds the snapshots that the arguments of a command name.</summary>
internal static class SnapshotFinder
{
    private static readonly HashSet<string> BuildFolders = new(StringComparer.OrdinalIgnoreCase) { "bin", "obj", "node_modules" };

    /// <summary>Finds them: a file stands for itself, a folder for every <c>*.weights.json</c> below it except those that a build copied.</summary>
    /// <param name="context">The process.</param>
    /// <param name="given">Files and folders; if empty, <c>weights</c>.</param>
    /// <returns>Each once, in the order of the arguments, those of a folder in ordinal order.</returns>
    /// <exception cref="ToolException">An argument names a file that does not exist, or a folder without snapshots.</exception>
    public static IReadOnlyList<SnapshotFilePath> Find(ToolContext context, IReadOnlyList<string> given)
    {
        var found = new List<SnapshotFilePath>();
        foreach (string argument in given.Count == 0 ? [SnapshotFilePath.FolderIn(context.CurrentDirectory)] : given)
        {
            string full = context.FullPath(ArgumentText.OnDisk(argument));
            string[] files = FilesAt(full);
            if (files.Length == 0)
            {
                string reason = Absence.Of(full)
                    ?? $"no snapshot was found here (*{SnapshotFilePath.Extension}); take one with: typedweights snapshot URI";
                throw new ToolException(ExitCodes.Usage, $"{argument}: {reason}");
            }

            found.AddRange(files.Select(file => new SnapshotFilePath(file, context.ShortPath(file), IsChosen: true)));
        }

        return [.. found.DistinctBy(path => path.Full, StringComparer.Ordinal)];
    }

    private static string[] FilesAt(string full)
    {
        if (Denial.OfSight(full) is { } denied)
        {
            throw new ToolException(ExitCodes.Failed, $"{full}: {denied}.");
        }

        try
        {
            return Directory.Exists(full) ? [.. InFolder(full).Order(StringComparer.Ordinal)] : File.Exists(full) ? [full] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException(ExitCodes.Failed, $"{full}: its snapshots cannot be listed: {e.Message}", e);
        }
    }

    private static IEnumerable<string> InFolder(string folder)
    {
        if (Denial.OfUse(folder) is { } denied)
        {
            throw new UnauthorizedAccessException(denied + ".");
        }

        foreach (string file in Directory.EnumerateFiles(folder, "*" + SnapshotFilePath.Extension))
        {
            yield return file;
        }

        foreach (string child in Directory.EnumerateDirectories(folder))
        {
            string name = Path.GetFileName(child);
            if (BuildFolders.Contains(name) || name.StartsWith('.'))
            {
                continue;
            }

            foreach (string file in InFolder(child))
            {
                yield return file;
            }
        }
    }
}
