namespace TypedWeights.Files;

/// <summary>Something has the name of a file of ours and is none, or is not this user's.</summary>
internal sealed class RefusedFileException(string path, string reason) : IOException($"{path}: {reason}.")
{
    /// <summary>Why, as a sentence without its full stop.</summary>
    public string Reason => reason;

    /// <summary>For what is no regular file.</summary>
    public static RefusedFileException For(string path, string kind) =>
        new(path, $"this is {kind}, and a regular file is expected; remove it, or choose another folder");
}
