using System.CommandLine;
using System.IO.Enumeration;
using TypedWeights.Checkpoints;
using TypedWeights.Sources;
using TypedWeights.Tool.Arguments;
using TypedWeights.Tool.Inspection;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Running;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Tool.Commands;

/// <summary>
/// <c>typedweights plan URI [--json] [--filter GLOB]… [--gap BYTES] [--part BYTES] [--connections N] [--device cpu|cuda]</c>: shows
/// the requests that a load would make and the memory it would use.
/// </summary>
internal static class PlanCommand
{
    private static readonly Argument<string> Uri = new Argument<string>("URI")
    {
        Description = "A file, an index or a folder: " + ToolSources.UriForms,
    }.WithoutOptions();

    private static readonly Option<bool> Json = new("--json")
    {
        Description = "Print one line of JSON",
    };

    private static readonly Option<string[]> Filter = new("--filter")
    {
        Description = "Plan only for the tensors with these names; * and ? are wildcards [repeatable]",
        HelpName = "GLOB",
    };

    private static readonly Option<string> Device = ChoiceArgument.Option("--device", "Plan for tensors on cpu or cuda", "cpu", "cuda");

    public static Command Create(ToolContext context)
    {
        var command = new Command("plan", "Shows the requests that a load would make and the memory it would use. Reads no weights.")
        {
            Uri, Json, Filter, TransferOverrides.GapOption, TransferOverrides.PartOption, TransferOverrides.ConnectionsOption, Device,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(context, parsed, TransferOverrides.Of(parsed), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ToolContext context, ParseResult parsed, TransferOverrides overrides, CancellationToken cancellationToken)
    {
        WeightUri uri = ToolSources.Parse(parsed.GetRequiredValue(Uri));
        await using var sources = new ToolSources(context, overrides.Options);
        await using OpenedCheckpoint opened = await sources.OpenAsync(uri, cancellationToken);
        PlanSummary summary = Plan(opened, parsed.GetValue(Filter), overrides, parsed.GetValue(Device) == "cuda", sources.Context.Requests);
        if (parsed.GetValue(Json))
        {
            await context.Out.WriteLineAsync(PlanReport.ToJson(uri.Display, summary));
        }
        else
        {
            PlanReport.Print(new Page(context), opened, summary);
        }

        return ExitCodes.Success;
    }

    private static PlanSummary Plan(
        OpenedCheckpoint opened, string[]? globs, TransferOverrides overrides, bool onDevice, long openingRequests)
    {
        bool isRemote = opened.Location.IsRemote;
        Checkpoint checkpoint = opened.Checkpoint;
        TensorSelection selection = globs is { Length: > 0 }
            ? TensorSelection.Matching(
                checkpoint, name => globs.Any(glob => FileSystemName.MatchesSimpleExpression(glob, name, ignoreCase: false)))
            : TensorSelection.All(checkpoint);
        TransferPlan plan = TransferPlan.Create(checkpoint.Files, selection.Tensors, overrides.Parts(overrides.Options, isRemote));
        SinkMemory? sink = onDevice
            ? SinkMemory.OnDevice(
                "cuda", DeviceLayout.Of(plan, static tensor => (int)tensor.DType), StagingLimits.For(overrides.Options).SizeFor(plan))
            : null;
        return PlanSummary.Of(plan, overrides.Options, overrides.Readers(overrides.Options, isRemote), isRemote, openingRequests, sink);
    }
}
