using System.Globalization;
using System.Text;
using Spectre.Console;
using TypedWeights.Caching;
using TypedWeights.Errors;
using TypedWeights.Json;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Output.Progress;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Caching;

/// <summary>What the subcommands of <c>cache</c> do and print.</summary>
internal static class CacheOutput
{
    /// <summary><c>cache ls</c></summary>
    public static async Task<int> ListAsync(ToolContext context, CacheFolder folder, bool json, CancellationToken cancellationToken)
    {
        IReadOnlyList<CachedItem> items = folder.List(cancellationToken);
        var page = new Page(context);
        foreach (CachedItem item in items)
        {
            if (json)
            {
                await context.Out.WriteLineAsync(ToJson(item, damaged: null));
                continue;
            }

            string used = item.LastUse.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
            page.Line((Title(item), Page.Strong), ($"  {Size(item)}, used {used} UTC", Page.Faint));
        }

        if (!json)
        {
            page.Line(Total(items.Count, items.Sum(static item => item.Bytes)));
        }

        return await FailAsync(context, items.Select(static item => item.Unread).OfType<string>().Select(static message => message + "."))
            ? ExitCodes.Failed
            : ExitCodes.Success;
    }

    /// <summary><c>cache verify</c>. It changes nothing: the next load that reads a damaged copy removes it.</summary>
    public static async Task<int> VerifyAsync(ToolContext context, CacheFolder folder, bool json, CancellationToken cancellationToken)
    {
        IReadOnlyList<CachedItem> items = folder.List(cancellationToken);
        var found = new List<(CachedItem Item, long? Damage)>();
        var failures = new List<string>();
        var figures = new TransferFigures("checking", items.Sum(static item => item.Bytes));
        await ProgressView.Create(context, quiet: json).RunAsync(figures, async () =>
        {
            foreach (CachedItem item in items)
            {
                try
                {
                    found.Add((item, await item.CountDamagedAsync(figures.Add, cancellationToken)));
                }
                catch (WeightsException e)
                {
                    failures.Add(e.Message);
                }
            }
        });

        var page = new Page(context);
        foreach ((CachedItem item, long? damage) in found)
        {
            if (json)
            {
                await context.Out.WriteLineAsync(ToJson(item, damage));
                continue;
            }

            (string text, Style style) = damage switch
            {
                null => ("being written or removed by another process", Page.Odd),
                0 => ("sound", Page.Good),
                _ => ($"{ByteText.Of(damage.Value)} damaged; the next load that reads it removes the copy", Page.Bad),
            };
            page.Line((Title(item), Page.Strong), ($"  {Size(item)}: ", Page.Faint), (text, style));
        }

        return await FailAsync(context, failures) || found.Exists(static pair => pair.Damage > 0) ? ExitCodes.Failed : ExitCodes.Success;
    }

    /// <summary><c>cache prune</c> and <c>cache clear</c></summary>
    /// <param name="context">The command's.</param>
    /// <param name="folder">The cache.</param>
    /// <param name="most">The largest size that the cache may keep, in bytes.</param>
    /// <param name="cancellationToken">Ends the command; files that were removed until then stay removed.</param>
    /// <returns>Failed if more remains; an error names each remaining file and the reason.</returns>
    public static async Task<int> RemoveAsync(ToolContext context, CacheFolder folder, long most, CancellationToken cancellationToken)
    {
        var removed = new List<CachedItem>();
        var stayed = new List<CacheRemnant>();
        long left = folder.Shrink(most, cancellationToken, removed.Add, stayed.Add);
        if (most == 0)
        {
            stayed.AddRange(folder.RemoveRemnants().Where(remnant => stayed.TrueForAll(known => known.Path != remnant.Path)));
        }

        bool isDone = most == 0 ? stayed.Count == 0 : left <= most;
        new Page(context).Line($"removed {Total(removed.Count, removed.Sum(static item => item.Bytes))}; {ByteText.Of(left)} left"
            + (!isDone && stayed.TrueForAll(static remnant => remnant.IsInUse) ? ", in use" : ""));
        if (!isDone)
        {
            await FailAsync(context, stayed.Select(static remnant => $"{remnant.Path} was not removed: {remnant.Reason}."));
        }

        return isDone ? ExitCodes.Success : ExitCodes.Failed;
    }

    private static async Task<bool> FailAsync(ToolContext context, IEnumerable<string> errors)
    {
        bool hasFailed = false;
        foreach (string error in errors)
        {
            await context.WriteErrorAsync(error);
            hasFailed = true;
        }

        return hasFailed;
    }

    private static string Title(CachedItem item) => item.Identity?.Source ?? Path.GetFileName(item.Path);

    // "1.2 GB", or "1.2 GB of 14.5 GB"
    private static string Size(CachedItem item) => item.IsWhole || item.Identity is null
        ? ByteText.Of(item.Bytes)
        : $"{ByteText.Of(item.Bytes)} of {ByteText.Of(item.Identity.Length)}";

    // "3 files, 1.2 GB"
    private static string Total(int files, long bytes) => $"{SnapshotSummary.Count(files, "file")}, {ByteText.Of(bytes)}";

    // Scripts depend on the members and their order.
    private static string ToJson(CachedItem item, long? damaged) => new StringBuilder("{\"source\":").AppendString(item.Identity?.Source ?? "")
        .Append(",\"validator\":").AppendString(item.Identity?.Validator ?? "")
        .Append(CultureInfo.InvariantCulture, $",\"length\":{item.Identity?.Length ?? item.Bytes},\"bytes\":{item.Bytes}")
        .Append(CultureInfo.InvariantCulture, $",\"whole\":{(item.IsWhole ? "true" : "false")},\"lastUse\":\"{item.LastUse:O}\"")
        .Append(",\"path\":").AppendString(item.Path)
        .Append(damaged is null ? "" : string.Create(CultureInfo.InvariantCulture, $",\"damaged\":{damaged}"))
        .Append('}').ToString();
}
