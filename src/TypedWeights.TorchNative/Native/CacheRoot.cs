using System.Globalization;
using System.Runtime.Versioning;
using TypedWeights.Files;

namespace TypedWeights.Native;

/// <summary>A folder that may hold the copies: an existing place, and the name of our own folder in it.</summary>
internal sealed record CacheRoot(string Folder, string Name)
{
    /// <summary>Where to try, best first: the user's cache, then the system's temporary folder under a name of this user's.</summary>
    [SupportedOSPlatform("linux")]
    public static IReadOnlyList<CacheRoot> All()
    {
        var roots = new List<CacheRoot>();
        string? cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

        // The XDG rules have a relative path ignored.
        if (Path.IsPathFullyQualified(cache ?? ""))
        {
            roots.Add(new CacheRoot(cache!, "typedweights"));
        }
        else if (home.Length > 0)
        {
            roots.Add(new CacheRoot(Path.Combine(home, ".cache"), "typedweights"));
        }

        roots.Add(new CacheRoot(
            Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"typedweights-{LibC.EffectiveUser()}")));
        return roots;
    }
}
