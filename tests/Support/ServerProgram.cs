namespace TypedWeights.Tests;

/// <summary>Programs that some tests start and that need not be on every machine.</summary>
internal static class ServerProgram
{
    // Where systems keep servers, which is not on every user's path.
    private static readonly string[] Elsewhere = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"];

    /// <summary>Finds a program; the test is skipped where there is none, and fails in CI, where all of them belong.</summary>
    /// <returns>Its path.</returns>
    public static string Require(string name)
    {
        string? found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Concat(Elsewhere)
            .Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
        if (found is null)
        {
            string reason = $"{name} is not installed";
            Assert.SkipUnless(Environment.GetEnvironmentVariable("TYPEDWEIGHTS_CI") is { Length: > 0 }, reason + ".");
            throw new InvalidOperationException($"{reason}, and TYPEDWEIGHTS_CI says that it should be.");
        }

        return found;
    }
}
