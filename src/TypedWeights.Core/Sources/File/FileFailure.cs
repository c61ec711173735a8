using TypedWeights.Files;

namespace TypedWeights.Sources.File;

/// <summary>Describes an error of the operating system about a file in one sentence.</summary>
internal static class FileFailure
{
    /// <param name="e">The error.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <param name="path">The file or folder that could not be opened; null where it is open.</param>
    public static WeightSourceException Of(Exception e, string display, string? path = null) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException =>
            new WeightSourceException(display, "there is no such file.", innerException: e) { IsNotFound = true },
        UnauthorizedAccessException =>
            new WeightSourceException(display, Denied(e, path) + ".", innerException: e),
        RefusedFileException refused => new WeightSourceException(display, refused.Reason + ".", innerException: e),
        NotSupportedException => new WeightSourceException(
            display, "this is a pipe or device; weights are read from a file with a length.", innerException: e),
        PathTooLongException => new WeightSourceException(display, "the path is longer than the system allows.", innerException: e),
        _ when OpenFileLimit.IsReached(e) => new WeightSourceException(display, OpenFileLimit.Sentence + ".", innerException: e),
        _ => new WeightSourceException(display, "reading failed: " + e.Message, innerException: e),
    };

    private static string Denied(Exception e, string? path) =>
        (path is null ? null : Denial.OfRead(path)) ?? $"the system does not let this user read it: {e.Message.TrimEnd('.')}";
}
