using System.Globalization;

namespace TypedWeights.Generators.Naming;

/// <summary>FNV-1a over UTF-16, the same on every machine and in every process, which <see cref="string.GetHashCode()"/> is not.</summary>
internal static class StableHash
{
    public const ulong Seed = 14695981039346656037;

    public static ulong Add(ulong hash, string text)
    {
        foreach (char c in text)
        {
            hash = unchecked((hash ^ c) * 1099511628211);
        }

        // An end mark, which is not a UTF-16 unit: "ab" and "c" must not hash as "a" and "bc".
        return unchecked((hash ^ 0x10000) * 1099511628211);
    }

    /// <summary>Eight hexadecimal digits, for the end of a name.</summary>
    public static string Suffix(string text) => Suffix(Add(Seed, text));

    /// <summary>Eight hexadecimal digits, for the end of a name.</summary>
    public static string Suffix(ulong hash) => ((uint)(hash ^ (hash >> 32))).ToString("x8", CultureInfo.InvariantCulture);

    /// <summary>Sixteen hexadecimal digits, where eight were not enough.</summary>
    public static string LongSuffix(ulong hash) => hash.ToString("x16", CultureInfo.InvariantCulture);
}
