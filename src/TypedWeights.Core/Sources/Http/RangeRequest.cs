using System.Globalization;

namespace TypedWeights.Sources.Http;

/// <summary>What one request asks for.</summary>
/// <param name="Range">The value of <c>Range</c>; null for the whole file.</param>
/// <param name="IfMatch">
/// The strong ETag that the file must still have; null where it has none, or at an address that may only redirect.
/// </param>
/// <param name="Length">The number of bytes asked for; 0 where it is not known.</param>
/// <param name="Version">The store's version of the file; null for the one that is current.</param>
/// <param name="IsAgain">Whether the request was refused and its login has been renewed since.</param>
internal readonly record struct RangeRequest(string? Range, string? IfMatch, long Length = 0, string? Version = null, bool IsAgain = false)
{
    /// <summary>Asks for a range.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="length">The number of bytes, at least 1.</param>
    /// <param name="identity">Which file it must be, as far as that is known.</param>
    public static RangeRequest Bytes(long offset, long length, HttpIdentity identity) => new(
        string.Create(CultureInfo.InvariantCulture, $"bytes={offset}-{offset + length - 1}"), identity.StrongTag, length, identity.Version);
}
