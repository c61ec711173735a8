namespace TypedWeights.Files;

/// <summary>Paths that settings give. A shell expands <c>~</c>, the settings of a container or a service do not.</summary>
internal static class HomePath
{
    /// <summary>This user's own folder.</summary>
    public static string UserFolder => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    /// <summary>A path with this user's own folder in the place of a leading <c>~</c>; another user's, as in <c>~name</c>, stays as it is.</summary>
    public static string Expand(string path) =>
        path == "~" || path.StartsWith("~/", StringComparison.Ordinal) ? UserFolder + path[1..] : path;
}
