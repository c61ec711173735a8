using System.Runtime.CompilerServices;

namespace TypedWeights.Architecture.Tests;

/// <summary>The C# files of the repository.</summary>
internal static class SourceFiles
{
    public static readonly string Root = Path.GetFullPath(Path.Combine(ThisFolder(), "../.."));

    /// <summary>The path from the root, and the text, of every file in some folders.</summary>
    public static IEnumerable<(string Path, string Text)> In(params string[] folders) =>
        from folder in folders
        from file in Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
        let path = Path.GetRelativePath(Root, file).Replace('\\', '/')
        where !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
        orderby path
        select (path, File.ReadAllText(file));

    private static string ThisFolder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
