namespace TypedWeights.Tests;

/// <summary>Material that lies beside the repository on some machines; tests that need it say so and are skipped elsewhere.</summary>
internal static class SharedFolder
{
    public static string? Headers { get; } = Find(Path.Combine("corpus", "headers"));

    private static string? Find(string below)
    {
        string? named = Environment.GetEnvironmentVariable("TYPEDWEIGHTS_SHARED");
        if (!string.IsNullOrEmpty(named))
        {
            return Existing(Path.Combine(named, below));
        }

        for (string? at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            if (Existing(Path.Combine(at, "shared", below)) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static string? Existing(string path) => Directory.Exists(path) ? path : null;
}
