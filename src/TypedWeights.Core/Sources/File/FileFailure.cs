using TypedWeights.Files;

namespace TypedWeights.Sources.File;

/// <summary>Says in one sentence what an operating system's error about a file means.</summary>
internal static class FileFailure
{
    public static WeightSourceException Of(Exception e, string display) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException =>
            new WeightSourceException(display, "there is no such file.", isNotFound: true, innerException: e),
        UnauthorizedAccessException =>
            new WeightSourceException(display, "this user may not read it; check its permissions.", innerException: e),
        NotSupportedException => new WeightSourceException(
            display, "this is a pipe or device; weights are read from a file with a length.", innerException: e),
        PathTooLongException => new WeightSourceException(display, "the path is longer than the system allows.", innerException: e),
        _ when ReopenableFile.IsTooMany(e) => new WeightSourceException(
            display,
            $"no more files can be opened: this process may have {ProcessLimits.OpenFiles} open at once, and all are in use; raise the limit "
                + "(ulimit -n).",
            innerException: e),
        _ => new WeightSourceException(display, "reading failed: " + e.Message, innerException: e),
    };
}
