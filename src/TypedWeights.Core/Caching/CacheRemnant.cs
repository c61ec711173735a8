using TypedWeights.Files;

namespace TypedWeights.Caching;

/// <summary>A file of a cache that was to be removed and stays.</summary>
/// <param name="Path">The file.</param>
/// <param name="Reason">Why, as a sentence without its full stop.</param>
/// <param name="IsInUse">Whether somebody is using it; else this user cannot remove it.</param>
internal sealed record CacheRemnant(string Path, string Reason, bool IsInUse)
{
    public static CacheRemnant Of(string path, Exception e) => new(
        path,
        (e is UnauthorizedAccessException ? Denial.OfWrite(path) ?? Denial.OfRead(path) : null) ?? e.Message.TrimEnd('.'),
        IsInUse: false);
}
