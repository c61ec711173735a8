using System.Globalization;

namespace TypedWeights.Tests.Support;

/// <summary>Range headers as tests count them.</summary>
internal static class Ranges
{
    /// <summary>Reads <c>bytes=8-15</c>.</summary>
    public static (long Offset, long Length) Of(string header)
    {
        string[] ends = header["bytes=".Length..].Split('-');
        long first = long.Parse(ends[0], CultureInfo.InvariantCulture);
        return (first, long.Parse(ends[1], CultureInfo.InvariantCulture) - first + 1);
    }
}
