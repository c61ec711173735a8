using System.CommandLine;
using TypedWeights.Sources;
using TypedWeights.Tool.Arguments;
using TypedWeights.Tool.Inspection;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Commands;

/// <summary><c>typedweights inspect URI … [--json [--digest]]</c>: shows what checkpoints hold.</summary>
internal static class InspectCommand
{
    private static readonly Argument<string[]> Uris = new Argument<string[]>("URI")
    {
        Description = "Files, indexes or folders, each " + ToolSources.UriForms,
        Arity = ArgumentArity.OneOrMore,
    }.WithoutOptions();

    private static readonly Option<bool> Json = new("--json")
    {
        Description = "Print one line of JSON for each URI, tensors in the order of their data",
    };

    private static readonly Option<bool> Digest = new("--digest")
    {
        Description = "With --json: also read the weights, and print the SHA-256 of each tensor",
    };

    public static Command Create(ToolContext context)
    {
        var command = new Command(
            "inspect", "Shows the tensors, sizes, types and metadata of checkpoints. Reads no weights without --digest.")
        {
            Uris, Json, Digest,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(Digest) && !result.GetValue(Json))
            {
                result.AddError("--digest requires --json.");
            }
        });
        command.SetAction((parsed, cancellationToken) => RunAsync(
            context, parsed.GetRequiredValue(Uris), parsed.GetValue(Json), parsed.GetValue(Digest), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ToolContext context, string[] given, bool json, bool digest, CancellationToken cancellationToken)
    {
        int code = ExitCodes.Success;
        var page = new Page(context);
        for (int i = 0; i < given.Length; i++)
        {
            string shown = ArgumentText.Shown(given[i]);
            try
            {
                WeightUri uri = ToolSources.Parse(given[i]);
                shown = uri.Display;
                await using var sources = new ToolSources(context);
                await using OpenedCheckpoint opened = await sources.OpenAsync(uri, cancellationToken);
                if (json)
                {
                    IReadOnlyDictionary<string, string>? digests =
                        digest ? await TensorDigests.ReadAsync(opened, sources.Context, progress: null, cancellationToken) : null;
                    JsonReport.Write(context.Out, shown, opened, digests);
                }
                else
                {
                    CheckpointPage.Print(page, opened, isFirst: i == 0, cancellationToken);
                }
            }
            catch (Exception e) when (ToolException.From(e) is { } failure)
            {
                code = ExitCodes.Failed;
                await (json
                    ? context.Out.WriteAsync(JsonReport.Error(shown, failure))
                    : context.WriteErrorAsync(failure.Message));
            }
        }

        return code;
    }
}
