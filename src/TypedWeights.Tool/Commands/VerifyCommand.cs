using System.CommandLine;
using TypedWeights.Checkpoints;
using TypedWeights.Snapshots;
using TypedWeights.Sources;
using TypedWeights.Tool.Arguments;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Running;
using TypedWeights.Tool.Snapshots;

namespace TypedWeights.Tool.Commands;

/// <summary><c>typedweights verify [FILE|DIR …] [--offline]</c>: compares snapshots with their sources.</summary>
/// <remarks>
/// Drift in one snapshot takes precedence over an unreachable source of another: it does not depend on the network, and a script that
/// tries again on exit code 2 would never stop.
/// </remarks>
internal static class VerifyCommand
{
    private static readonly Argument<string[]> Paths = new Argument<string[]>("FILE|DIR")
    {
        Description = "Snapshots, or folders that hold some [default: weights]",
        Arity = ArgumentArity.ZeroOrMore,
    }.WithoutOptions().NotEmpty();

    private static readonly Option<bool> Offline = new("--offline")
    {
        Description = "Check that each snapshot is consistent, without reading its source",
    };

    public static Command Create(ToolContext context)
    {
        var command = new Command(
            "verify", "Compares snapshots with their sources: 0 in step, 1 drift, 2 a source could not be reached. Reads no weights.")
        {
            Paths, Offline,
        };
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(context, parsed.GetValue(Paths) ?? [], parsed.GetValue(Offline), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ToolContext context, string[] given, bool offline, CancellationToken cancellationToken)
    {
        var codes = new HashSet<int>();
        var page = new Page(context);
        foreach (SnapshotFilePath path in SnapshotFinder.Find(context, given))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                codes.Add(await VerifyAsync(context, page, path, offline, cancellationToken));
            }
            catch (Exception e) when (ToolException.From(e) is { } failure)
            {
                await context.WriteErrorAsync(failure.Message);
                codes.Add(failure.ExitCode);
            }
        }

        return codes.Contains(ExitCodes.Failed) ? ExitCodes.Failed : codes.Max();
    }

    private static async Task<int> VerifyAsync(
        ToolContext context, Page page, SnapshotFilePath path, bool offline, CancellationToken cancellationToken)
    {
        WeightSnapshot snapshot = SnapshotStore.Read(path);
        if (offline)
        {
            page.Line(
                (path.Shown + ": ", Page.Plain),
                ("consistent", Page.Good),
                ($" ({SnapshotSummary.Of(snapshot)}; offline: {snapshot.Source} was not read)", Page.Plain));
            return ExitCodes.Success;
        }

        WeightSnapshot live = await ReadLiveAsync(context, path, snapshot, cancellationToken);
        string summary = SnapshotSummary.Of(snapshot);
        string folder = FolderOf(context, path, snapshot);
        IReadOnlyList<SnapshotDifference> differences = SnapshotComparison.Compare(snapshot, live);
        bool drift = differences.Any(difference => difference.IsDrift);
        page.Line(
            (path.Shown + ": ", Page.Plain),
            drift ? ("drift", Page.Bad) : ("in step", Page.Good),
            ($" {(drift ? "from" : "with")} {snapshot.Source} ({summary})", Page.Plain));
        foreach (SnapshotDifference difference in differences)
        {
            string subject = difference.Name.Length == 0 ? "" : difference.Name + ": ";
            page.Line(
                difference.IsDrift ? ("  drift: ", Page.Bad) : ("  warning: ", Page.Odd),
                (subject, Page.Strong),
                (difference.Message, Page.Plain));
        }

        if (differences.Count > 0)
        {
            page.Line(
                (drift ? "  to repair it: " : "  to record it: ", Page.Plain),
                (RepairCommand.Of(context, path, snapshot, folder), Page.Strong));
        }

        return drift ? ExitCodes.Failed : ExitCodes.Success;
    }

    private static async Task<WeightSnapshot> ReadLiveAsync(
        ToolContext context, SnapshotFilePath path, WeightSnapshot snapshot, CancellationToken cancellationToken)
    {
        try
        {
            await using var sources = new ToolSources(context, folder: path.ProjectFolder);
            await using OpenedCheckpoint opened = await sources.OpenAsync(ToolSources.Parse(snapshot.Source), cancellationToken);
            return SnapshotBuilder.Build(opened.Checkpoint, snapshot.Class);
        }
        catch (Exception e) when (ToolException.From(e) is { } failure)
        {
            int code = failure.ExitCode == ExitCodes.Unreachable ? ExitCodes.Unreachable : ExitCodes.Failed;
            throw new ToolException(code, $"{path.Shown}: {failure.Message}", failure);
        }
    }

    // Only a relative path depends on the folder in which it is looked up.
    private static string FolderOf(ToolContext context, SnapshotFilePath path, WeightSnapshot snapshot) =>
        WeightUri.TryParse(snapshot.Source, out WeightUri? uri, out _) && uri.IsPath && !Path.Exists(context.FullPath(snapshot.Source))
            ? path.ProjectFolder
            : context.CurrentDirectory;
}
