using System.CommandLine;
using TypedWeights.Checkpoints;
using TypedWeights.Snapshots;
using TypedWeights.Sources;
using TypedWeights.Tool.Arguments;
using TypedWeights.Tool.Inspection;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Output.Progress;
using TypedWeights.Tool.Running;
using TypedWeights.Tool.Snapshots;

namespace TypedWeights.Tool.Commands;

/// <summary><c>typedweights snapshot URI [-o FILE] [--class NAME] [--digest]</c>: writes a snapshot of the headers of a checkpoint.</summary>
internal static class SnapshotCommand
{
    private static readonly Argument<string> Uri = new Argument<string>("URI")
    {
        Description = "A .safetensors file, a .safetensors.index.json, or a folder that holds one: " + ToolSources.UriForms,
    }.WithoutOptions();

    private static readonly Option<string?> File = new Option<string?>("--output", "-o")
    {
        Description = "The file to write [default: weights/<Class>.weights.json]",
        HelpName = "FILE",
    }.NotEmpty();

    private static readonly Option<string?> Class = new("--class", "-c")
    {
        Description = "The name of the class to generate [default: derived from the URI]",
        HelpName = "NAME",
    };

    private static readonly Option<bool> Digest = new("--digest")
    {
        Description = "Also read the weights, and record the SHA-256 of each tensor, which loads can check (LoadOptions.Verify)",
    };

    public static Command Create(ToolContext context)
    {
        var command = new Command(
            "snapshot", "Writes the snapshot of a checkpoint's headers that the generator builds a class from. Reads no weights without --digest.")
        {
            Uri, File, Class, Digest,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            context,
            parsed.GetRequiredValue(Uri),
            parsed.GetValue(File),
            parsed.GetValue(Class),
            parsed.GetValue(Digest),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ToolContext context, string text, string? output, string? className, bool digest, CancellationToken cancellationToken)
    {
        WeightUri uri = ToolSources.Parse(text);
        if (className is not null && !SnapshotClassName.IsValid(className))
        {
            throw new ToolException(ExitCodes.Usage, $"--class: \"{ArgumentText.Shown(className)}\" cannot be the name of a C# class.");
        }

        output = output is null ? null : ArgumentText.OnDisk(output);
        await using var sources = new ToolSources(context);
        await using OpenedCheckpoint opened = await sources.OpenAsync(uri, cancellationToken);
        IReadOnlyDictionary<string, string>? digests = digest ? await ReadDigestsAsync(context, sources, opened, cancellationToken) : null;
        WeightSnapshot snapshot = SnapshotBuilder.Build(opened.Checkpoint, className, digests);
        foreach (string warning in opened.Checkpoint.Warnings)
        {
            context.WriteWarning(warning);
        }

        if (HiddenParameters.MayTellFilesApart(uri))
        {
            context.WriteWarning(
                $"{uri.Display}: the snapshot does not keep the other parameters of the URL; if one of them selects the file, "
                    + "load the class with the whole URL: LoadAsync(url).");
        }

        SnapshotFilePath path = SnapshotFilePath.For(context, snapshot, output);
        if (!path.IsSeenByGenerator)
        {
            context.WriteWarning($"{path.Shown}: the generator reads only files named *{SnapshotFilePath.Extension}.");
        }

        (bool written, bool losesDigests) = await SnapshotStore.WriteAsync(path, snapshot, cancellationToken);
        if (losesDigests)
        {
            context.WriteWarning(
                $"{path.Shown}: the snapshot no longer has the digests of the tensors, which loads check; take it again with --digest.");
        }

        string line = $"{(written ? "wrote " : "")}{path.Shown}: {(written ? "" : "unchanged, ")}{SnapshotSummary.Of(snapshot)}";
        await context.Out.WriteLineAsync(line);
        return ExitCodes.Success;
    }

    private static async Task<IReadOnlyDictionary<string, string>> ReadDigestsAsync(
        ToolContext context, ToolSources sources, OpenedCheckpoint opened, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, string> digests = new Dictionary<string, string>();
        var figures = new TransferFigures("hashing");
        await ProgressView.Create(context, quiet: false).RunAsync(figures, async () => digests = await TensorDigests.ReadAsync(
            opened, sources.Context, now => figures.Report(now.Bytes, now.BytesTotal), cancellationToken));
        return digests;
    }
}
