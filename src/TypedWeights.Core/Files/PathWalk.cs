namespace TypedWeights.Files;

/// <summary>Goes along a path as the system does: component by component from the root, and through every link on the way.</summary>
internal static class PathWalk
{
    /// <summary>As many links as Linux follows.</summary>
    public const int MostLinks = 40;

    /// <summary>
    /// The root, and every folder, link and file on the way. The walk ends where something cannot be looked at, and where the links lead in
    /// a circle. Only where <see cref="LibC.IsSupported"/>.
    /// </summary>
    /// <param name="path">The path in full.</param>
    public static IEnumerable<Step> Steps(string path)
    {
        string at = "/";
        var rest = new Stack<string>();
        Push(rest, path);
        int links = 0;
        yield return Look(at, rest.Count == 0);
        while (rest.TryPop(out string? name))
        {
            if (name == "..")
            {
                at = Path.GetDirectoryName(at) ?? "/";
                continue;
            }

            Step step = Look(Path.Combine(at, name), rest.Count == 0);
            yield return step;
            if (step.Error != 0)
            {
                yield break;
            }

            if (!step.Facts.IsLink)
            {
                at = step.Path;
                continue;
            }

            if (++links > MostLinks || new FileInfo(step.Path).LinkTarget is not { } target)
            {
                yield break;
            }

            at = Path.IsPathRooted(target) ? "/" : at;
            Push(rest, target);
        }
    }

    private static Step Look(string path, bool isLast) =>
        new(path, LibC.TryFacts(path, out FileFacts facts, out int error) ? facts : default, error, isLast);

    private static void Push(Stack<string> rest, string path)
    {
        foreach (string name in path.Split('/').Reverse().Where(static name => name is not ("" or ".")))
        {
            rest.Push(name);
        }
    }

    /// <summary>One component of the way.</summary>
    /// <param name="Path">Its path, in which no link is left but itself.</param>
    /// <param name="Facts">What it is, where that can be seen.</param>
    /// <param name="Error">The system's number of the error, or 0.</param>
    /// <param name="IsLast">Whether nothing follows it, unless it is a link.</param>
    internal readonly record struct Step(string Path, FileFacts Facts, int Error, bool IsLast);
}
