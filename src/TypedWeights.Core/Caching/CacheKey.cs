using System.Security.Cryptography;
using System.Text;
using TypedWeights.Downloads;

namespace TypedWeights.Caching;

/// <summary>The name of one version of one file in the cache: letters and digits that do not reveal its source.</summary>
internal static class CacheKey
{
    /// <summary>Hexadecimal digits of a hash: 96 bits, so that two sources never meet by chance.</summary>
    public const int Digits = 24;

    /// <summary>What the names of all versions of a source begin with.</summary>
    /// <param name="source">The file as it may be shown: without user info, signature and fragment.</param>
    public static string OfSource(string source) => Hash(source) + "-";

    /// <summary>The name of a version: its source, validator and length.</summary>
    public static string Of(SourceIdentity identity) => OfSource(identity.Source) + Hash($"{identity.Length}\n{identity.Validator}");

    /// <summary>The source of a file beside what a URI names.</summary>
    /// <param name="uri">The URI of a file, or of a folder or repository that holds it.</param>
    /// <param name="entryName">The entry that was found there.</param>
    /// <param name="name">The file, relative to the entry's folder.</param>
    public static string SourceOf(string uri, string entryName, string name)
    {
        int query = uri.IndexOf('?', StringComparison.Ordinal);
        (string path, string rest) = query < 0 ? (uri, "") : (uri[..query], uri[query..]);
        int slash = path.LastIndexOf('/');
        if (Uri.UnescapeDataString(path[(slash + 1)..]) != entryName)
        {
            return $"{path.TrimEnd('/')}/{name}{rest}";
        }

        return name == entryName ? uri : path[..(slash + 1)] + name + rest;
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..Digits];
}
