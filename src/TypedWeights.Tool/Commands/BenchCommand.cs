using System.CommandLine;
using TypedWeights.Sources;
using TypedWeights.Tool.Arguments;
using TypedWeights.Tool.Measuring;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Output.Progress;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Commands;

/// <summary>
/// <c>typedweights bench URI [--connections N] [--part BYTES] [--json] [--quiet]</c>: reads a checkpoint into memory and reports
/// the time, memory and requests.
/// </summary>
internal static class BenchCommand
{
    private static readonly Argument<string> Uri = new Argument<string>("URI")
    {
        Description = "A file, an index or a folder: " + ToolSources.UriForms,
    }.WithoutOptions();

    private static readonly Option<bool> Json = new("--json")
    {
        Description = "Print one line of JSON, and no progress",
    };

    private static readonly Option<bool> Quiet = new("--quiet", "-q")
    {
        Description = "Show no progress",
    };

    public static Command Create(ToolContext context)
    {
        var command = new Command("bench", "Reads every tensor of a checkpoint into memory, as a load does, and reports the speed.")
        {
            Uri, TransferOverrides.ConnectionsOption, TransferOverrides.PartOption, Json, Quiet,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            context,
            parsed.GetRequiredValue(Uri),
            TransferOverrides.Of(parsed),
            parsed.GetValue(Json),
            parsed.GetValue(Quiet),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ToolContext context, string text, TransferOverrides overrides, bool json, bool quiet, CancellationToken cancellationToken)
    {
        WeightUri uri = ToolSources.Parse(text);
        var view = ProgressView.Create(context, quiet || json);
        await using var sources = new ToolSources(context, overrides.Options);
        view.NoteRetriesOf(sources.Context);
        BenchResult result = await BenchRun.RunAsync(sources, uri, overrides, view, cancellationToken);
        if (json)
        {
            await context.Out.WriteLineAsync(result.ToJson());
        }
        else
        {
            result.Print(new Page(context), uri.Display);
        }

        return ExitCodes.Success;
    }
}
