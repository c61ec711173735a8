using TypedWeights.Caching;
using TypedWeights.Errors;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Caching;

/// <summary>What <c>cache prune</c> and <c>cache clear</c> do.</summary>
internal static class CacheRemoval
{
    /// <param name="context">The command's.</param>
    /// <param name="folder">The cache.</param>
    /// <param name="most">The most bytes that stay.</param>
    /// <param name="cancellationToken">Ends it; what is removed by then is gone.</param>
    /// <returns>Failed where more stays; each file that does is named, with the reason.</returns>
    public static async Task<int> RunAsync(ToolContext context, CacheFolder folder, long most, CancellationToken cancellationToken)
    {
        var removed = new List<CachedItem>();
        var stayed = new List<CacheRemnant>();
        long left = folder.Shrink(most, cancellationToken, removed.Add, stayed.Add);
        if (most == 0)
        {
            stayed.AddRange(folder.RemoveRemnants().Where(remnant => stayed.TrueForAll(known => known.Path != remnant.Path)));
        }

        bool isDone = most == 0 ? stayed.Count == 0 : left <= most;
        var page = new Page(context);
        page.Line($"removed {CacheListing.Total(removed.Count, removed.Sum(static item => item.Bytes))}; {ByteText.Of(left)} left"
            + (!isDone && stayed.TrueForAll(static remnant => remnant.IsInUse) ? ", in use" : ""));
        foreach (CacheRemnant remnant in isDone ? [] : stayed)
        {
            await context.WriteErrorAsync($"{remnant.Path}: it stays: {remnant.Reason}.").ConfigureAwait(false);
        }

        return isDone ? ExitCodes.Success : ExitCodes.Failed;
    }
}
