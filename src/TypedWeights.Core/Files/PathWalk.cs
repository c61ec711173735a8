namespace TypedWeights.Files;

/// <summary>
/// Follows a path as the system does: component by component from the root, and through every link on the way. It shows what exists, who owns
/// it, which link leads nowhere and what denies access.
/// </summary>
internal static class PathWalk
{
    // As many links as Linux follows.
    private const int MostLinks = 40;

    /// <summary>
    /// The root, and every folder, link and file on the way. The walk ends where something cannot be looked at, and where the links lead in
    /// a circle.
    /// </summary>
    /// <param name="path">The path in full.</param>
    public static IEnumerable<Step> Steps(string path)
    {
        string at = Path.GetPathRoot(path)!;
        var rest = new Stack<string>();
        Push(rest, path[at.Length..]);
        int links = 0;
        bool isSeen = true;
        yield return Look(at, rest.Count == 0);
        while (rest.TryPop(out string? name))
        {
            if (name == "..")
            {
                (at, isSeen) = (Path.GetDirectoryName(at) ?? at, false);
                continue;
            }

            Step step = Look(Path.Combine(at, name), rest.Count == 0);
            yield return step;
            if (step.Error != 0)
            {
                yield break;
            }

            isSeen = !step.Facts.IsLink;
            if (isSeen)
            {
                at = step.Path;
                continue;
            }

            if (++links > MostLinks || new FileInfo(step.Path).LinkTarget is not { } target)
            {
                yield break;
            }

            string root = Path.GetPathRoot(target)!;
            at = root.Length > 0 ? root : at;
            Push(rest, target[root.Length..]);
        }

        if (!isSeen)
        {
            // A link to "." or "..", or to the root.
            yield return Look(at, isLast: true);
        }
    }

    /// <summary>Where a path ends.</summary>
    /// <param name="path">The path.</param>
    public static End EndOf(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        Step last = default;
        bool isLink = false;
        foreach (Step step in Steps(full))
        {
            last = step;
            isLink |= step.IsLast && step.Facts.IsLink;
        }

        return new End(isLink ? last.Path : full, last, isLink);
    }

    /// <summary>Looks at one component; a link is not followed.</summary>
    public static Step Look(string path, bool isLast)
    {
        if (LibC.IsSupported)
        {
            return new(path, LibC.TryFacts(path, out FileFacts facts, out int error) ? facts : default, error, isLast);
        }

        try
        {
            bool isFolder = File.GetAttributes(path).HasFlag(FileAttributes.Directory);
            return new(path, FileFacts.Of(isFolder, isLink: new FileInfo(path).LinkTarget is not null), 0, isLast);
        }
        catch (UnauthorizedAccessException)
        {
            return new(path, default, LibC.Denied, isLast);
        }
        catch (Exception e) when (e is IOException or NotSupportedException or ArgumentException)
        {
            return new(path, default, LibC.NotThere, isLast);
        }
    }

    private static void Push(Stack<string> rest, string path)
    {
        foreach (string name in path.Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar).Reverse())
        {
            if (name is not ("" or "."))
            {
                rest.Push(name);
            }
        }
    }

    /// <summary>One component of the way.</summary>
    /// <param name="Path">Its path, in which no link is left but itself.</param>
    /// <param name="Facts">What it is, if that can be seen.</param>
    /// <param name="Error">The system's number of the error, or 0.</param>
    /// <param name="IsLast">Whether nothing follows it, unless it is a link.</param>
    internal readonly record struct Step(string Path, FileFacts Facts, int Error, bool IsLast);

    /// <summary>The end of a path.</summary>
    /// <param name="Path">The path in full; if its last component is a link, what that leads to.</param>
    /// <param name="Last">The last step, which need not be the last component.</param>
    /// <param name="IsLink">Whether the last component is a link.</param>
    internal readonly record struct End(string Path, Step Last, bool IsLink)
    {
        /// <summary>What is there, if that can be seen.</summary>
        public FileFacts Facts => Last.Facts;

        /// <summary>Whether something is there.</summary>
        public bool Exists => Last is { IsLast: true, Error: 0, Facts.IsLink: false };

        /// <summary>Whether its folder is there, so that a file can be made.</summary>
        public bool HasFolder => Exists || Last is { IsLast: true, Error: LibC.NotThere };

        /// <summary>Whether this user may not see if something is there.</summary>
        public bool IsDenied => Last.Error == LibC.Denied;

        /// <summary>Whether the links of its last component lead in a circle.</summary>
        public bool IsCircle => Last is { IsLast: true, Error: 0, Facts.IsLink: true };
    }
}
