using TypedWeights.Caching;
using TypedWeights.Errors;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Output.Progress;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Caching;

/// <summary>What <c>cache verify</c> does. It changes nothing: the next load that reads a damaged copy removes it.</summary>
internal static class CacheVerification
{
    public static async Task<int> RunAsync(ToolContext context, CacheFolder folder, bool json, CancellationToken cancellationToken)
    {
        IReadOnlyList<CachedItem> items = folder.List(cancellationToken);
        var found = new List<(CachedItem Item, long? Damage)>();
        var failures = new List<string>();
        var figures = new TransferFigures("checking", items.Sum(static item => item.Bytes));
        await ProgressView.Create(context, quiet: json).RunAsync(
            figures,
            async () =>
            {
                foreach (CachedItem item in items)
                {
                    try
                    {
                        found.Add((item, await item.CountDamagedAsync(figures.Add, cancellationToken).ConfigureAwait(false)));
                    }
                    catch (WeightsException e)
                    {
                        failures.Add(e.Message);
                    }
                }
            }).ConfigureAwait(false);

        var page = new Page(context);
        foreach ((CachedItem item, long? damage) in found)
        {
            if (json)
            {
                await context.Out.WriteLineAsync(CacheListing.ToJson(item, damage)).ConfigureAwait(false);
                continue;
            }

            (string text, Spectre.Console.Style style) = damage switch
            {
                null => ("being written or removed by another process", Page.Odd),
                0 => ("sound", Page.Good),
                _ => ($"{ByteText.Of(damage.Value)} damaged; the next load fetches them again", Page.Bad),
            };
            page.Line((CacheListing.Title(item), Page.Strong), ($"  {CacheListing.Size(item)}: ", Page.Faint), (text, style));
        }

        foreach (string failure in failures)
        {
            await context.WriteErrorAsync(failure).ConfigureAwait(false);
        }

        return failures.Count > 0 || found.Exists(static pair => pair.Damage > 0) ? ExitCodes.Failed : ExitCodes.Success;
    }
}
