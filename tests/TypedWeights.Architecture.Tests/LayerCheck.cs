namespace TypedWeights.Architecture.Tests;

/// <summary>Holds uses against <see cref="Layers"/>.</summary>
internal static class LayerCheck
{
    /// <summary>A line for every use of a later folder of the same project.</summary>
    public static string Report(IEnumerable<SourceUse> uses) => string.Join("\n", Violations(uses).Distinct());

    private static IEnumerable<string> Violations(IEnumerable<SourceUse> uses)
    {
        foreach (SourceUse use in uses)
        {
            (string project, string folder) = PlaceOf(use.File);
            (string usedProject, string usedFolder) = PlaceOf(use.UsedFile);
            if (project != usedProject || folder == usedFolder)
            {
                // Which project may use which is said by their references.
                continue;
            }

            string[] order = Layers.Of.GetValueOrDefault(project, []);
            int at = Array.IndexOf(order, folder), usedAt = Array.IndexOf(order, usedFolder);
            if (at < 0 || usedAt < 0 || usedAt > at)
            {
                yield return $"{use.File}({use.Line}): {project}/{folder} uses {use.Type} of {usedFolder}, which "
                    + (at < 0 || usedAt < 0 ? "the list of layers does not have together with it." : "is a later layer.");
            }
        }
    }

    /// <summary>The project and the folder of a file; what Core and the generator share counts for each of them.</summary>
    public static (string Project, string Folder) PlaceOf(string file)
    {
        string[] parts = file.Split('/');
        string project = parts[1] == "Shared" ? "TypedWeights.Core" : parts[1];
        return (project, parts.Length == 3 ? "." : string.Join('/', parts[2..^1]));
    }
}
