using System.Globalization;
using System.Text;
using TypedWeights.Caching;
using TypedWeights.Errors;
using TypedWeights.Json;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Caching;

/// <summary>What <c>cache ls</c> prints, and the words for a file of a cache that the other commands share.</summary>
internal static class CacheListing
{
    public static async Task<int> PrintAsync(ToolContext context, CacheFolder folder, bool json, CancellationToken cancellationToken)
    {
        IReadOnlyList<CachedItem> items = folder.List(cancellationToken);
        if (json)
        {
            foreach (CachedItem item in items)
            {
                await context.Out.WriteLineAsync(ToJson(item, damaged: null)).ConfigureAwait(false);
            }

            return await TellUnreadAsync(context, items).ConfigureAwait(false);
        }

        var page = new Page(context);
        foreach (CachedItem item in items)
        {
            string used = item.LastUse.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
            page.Line((Title(item), Page.Strong), ($"  {Size(item)}, used {used} UTC", Page.Faint));
        }

        page.Line(Total(items.Count, items.Sum(static item => item.Bytes)));
        return await TellUnreadAsync(context, items).ConfigureAwait(false);
    }

    /// <summary>Where a file came from.</summary>
    public static string Title(CachedItem item) => item.Identity?.Source ?? Path.GetFileName(item.Path);

    /// <summary><c>1.2 GB</c>, or <c>1.2 GB of 14.5 GB</c>.</summary>
    public static string Size(CachedItem item) => item.IsWhole || item.Identity is null
        ? ByteText.Of(item.Bytes)
        : $"{ByteText.Of(item.Bytes)} of {ByteText.Of(item.Identity.Length)}";

    /// <summary><c>3 files, 1.2 GB</c></summary>
    public static string Total(int files, long bytes) => $"{SnapshotSummary.Count(files, "file")}, {ByteText.Of(bytes)}";

    private static async Task<int> TellUnreadAsync(ToolContext context, IEnumerable<CachedItem> items)
    {
        int code = ExitCodes.Success;
        foreach (string unread in items.Select(static item => item.Unread).OfType<string>())
        {
            await context.WriteErrorAsync(unread + ".").ConfigureAwait(false);
            code = ExitCodes.Failed;
        }

        return code;
    }

    /// <summary>One line of JSON. Scripts depend on the members and their order.</summary>
    /// <param name="item">The file.</param>
    /// <param name="damaged">Bytes that are not what they should be, where that was looked at.</param>
    public static string ToJson(CachedItem item, long? damaged)
    {
        StringBuilder json = new StringBuilder("{\"source\":").AppendString(item.Identity?.Source ?? "")
            .Append(",\"validator\":").AppendString(item.Identity?.Validator ?? "")
            .Append(CultureInfo.InvariantCulture, $",\"length\":{item.Identity?.Length ?? item.Bytes},\"bytes\":{item.Bytes}")
            .Append(CultureInfo.InvariantCulture, $",\"whole\":{(item.IsWhole ? "true" : "false")},\"lastUse\":\"{item.LastUse:O}\"")
            .Append(",\"path\":").AppendString(item.Path);
        if (damaged is not null)
        {
            json.Append(CultureInfo.InvariantCulture, $",\"damaged\":{damaged}");
        }

        return json.Append('}').ToString();
    }
}
