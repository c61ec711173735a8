using TypedWeights.Caching;
using TypedWeights.Errors;
using TypedWeights.Tool.Output;

namespace TypedWeights.Tool.Caching;

/// <summary>What <c>cache prune</c> and <c>cache clear</c> do.</summary>
internal static class CacheRemoval
{
    /// <param name="context">The command's.</param>
    /// <param name="folder">The cache.</param>
    /// <param name="most">The most bytes that stay.</param>
    public static Task<int> RunAsync(ToolContext context, CacheFolder folder, long most)
    {
        var removed = new List<CachedItem>();
        long left = folder.Shrink(most, removed.Add);
        if (most == 0)
        {
            folder.RemoveRemnants();
        }

        var page = new Page(context);
        page.Line($"removed {CacheListing.Total(removed.Count, removed.Sum(static item => item.Bytes))}; {ByteText.Of(left)} left"
            + (left > most ? ", in use" : ""));
        return Task.FromResult(ExitCodes.Success);
    }
}
