namespace TypedWeights.Sources.S3;

/// <summary>Reads environment variables; an empty one is not set.</summary>
internal static class S3Variable
{
    public static string? Of(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? text : null;

    public static bool IsTrue(string name) => Of(name) is { } text && text.Equals("true", StringComparison.OrdinalIgnoreCase);
}
