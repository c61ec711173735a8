namespace TypedWeights.Sources.Stores;

/// <summary>A file that an SDK reads.</summary>
/// <param name="Path">The file.</param>
/// <param name="Origin">The variable or setting that names it; null for a file that the SDK looks for by itself.</param>
public sealed record SdkFile(string Path, string? Origin)
{
    /// <summary>The file that a variable names.</summary>
    /// <param name="variable">The variable.</param>
    /// <returns>None where it is not set.</returns>
    public static IReadOnlyList<SdkFile> Of(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } path ? [new SdkFile(path, variable)] : [];
}
