using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using TypedWeights.Errors;
using TypedWeights.Sources;
using TypedWeights.Tool.Arguments;
using TypedWeights.Tool.Downloads;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Output.Progress;
using TypedWeights.Tool.Running;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tool.Commands;

/// <summary><c>typedweights download URI DEST [--sha256] [--force] [--quiet]</c>: fetches a file, or an index and its shards, to the disk.</summary>
internal static class DownloadCommand
{
    private static readonly Argument<string> Uri = new Argument<string>("URI")
    {
        Description = $"A file, an index or a folder: {ToolSources.UriForms}; an index brings its shards",
    }.WithoutOptions();

    private static readonly Argument<string> Destination = new Argument<string>("DEST")
    {
        Description = "The file to write, or a folder",
    }.WithoutOptions().NotEmpty();

    private static readonly Option<bool> Sha256 = new("--sha256")
    {
        Description = "Print the files' digests as sha256sum does",
    };

    private static readonly Option<bool> Force = new("--force", "-f")
    {
        Description = "Replace existing files even if they are not earlier copies of the download",
    };

    private static readonly Option<bool> Quiet = new("--quiet", "-q")
    {
        Description = "Print only errors, and the digests that --sha256 adds",
    };

    public static Command Create(ToolContext context)
    {
        var command = new Command(
            "download", "Downloads a file, or an index and its shards. Resumes an interrupted download; a file gets its name only when it is whole.")
        {
            Uri, Destination, Sha256, Force, Quiet,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            context,
            ToolSources.Parse(parsed.GetRequiredValue(Uri)),
            ArgumentText.OnDisk(parsed.GetRequiredValue(Destination), "DEST is a file or folder"),
            parsed.GetValue(Sha256),
            parsed.GetValue(Force),
            parsed.GetValue(Quiet),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        ToolContext context, WeightUri uri, string destination, bool sha256, bool force, bool quiet, CancellationToken cancellationToken)
    {
        var view = ProgressView.Create(context, quiet);
        await using var sources = new ToolSources(context);
        view.NoteRetriesOf(sources.Context);
        IWeightLocation location = await sources.LocateAsync(uri, cancellationToken);
        await using DownloadSet set = await DownloadSet.OpenAsync(uri, location, cancellationToken);
        var target = DownloadTarget.Of(context, destination, set);
        await FetchAsync(context, set, target, force, sources.Context, view, cancellationToken);
        if (sha256)
        {
            await PrintDigestsAsync(context, set, target, view, cancellationToken);
        }

        return ExitCodes.Success;
    }

    private static async Task FetchAsync(
        ToolContext context,
        DownloadSet set,
        DownloadTarget target,
        bool force,
        TransferContext transfer,
        ProgressView view,
        CancellationToken cancellationToken)
    {
        Func<CancellationToken, Task> check = force ? static _ => Task.CompletedTask : token => target.RefuseOthersAsync(context, token);
        await check(cancellationToken);
        string[] paths = [.. set.Files.Select(file => target.Make(context, file))];
        long start = Stopwatch.GetTimestamp();
        await using var run = new DownloadRun(set, transfer, view, check);
        try
        {
            long fetched = await run.RunAsync(paths, cancellationToken);
            view.Note(Summary(set, target.Shown(set.Files[^1]), fetched, Stopwatch.GetElapsedTime(start)));
        }
        catch (Exception) when (run.Left() is { } left)
        {
            view.Note(left);
            throw;
        }
    }

    // "wrote model/model.safetensors.index.json and 2 shards: 14.5 GB in 2:36, 92.9 MB/s"
    private static string Summary(DownloadSet set, string shown, long fetched, TimeSpan elapsed)
    {
        string shards = set.IsSharded ? " and " + SnapshotSummary.Count(set.Files.Count - 1, "shard") : "";
        string wrote = $"wrote {shown.Replace('\\', '/')}{shards}: ";
        if (fetched == 0)
        {
            return wrote + "all of it was downloaded before";
        }

        string time = elapsed.TotalMinutes < 1
            ? elapsed.TotalSeconds.ToString("0.0 s", CultureInfo.InvariantCulture)
            : TransferFigures.Clock(elapsed);
        return $"{wrote}{ByteText.Of(fetched)} in {time}, {ByteText.OfRate(fetched / Math.Max(elapsed.TotalSeconds, 1e-3))}";
    }

    private static async Task PrintDigestsAsync(
        ToolContext context, DownloadSet set, DownloadTarget target, ProgressView view, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        var figures = new TransferFigures("hashing", set.Files.Sum(file => file.Source.Length));
        await view.RunAsync(figures, async () =>
        {
            foreach (DownloadFile file in set.Files)
            {
                string shown = target.Shown(file);
                string digest = await FileDigest.ReadAsync(context.FullPath(shown), figures.Add, cancellationToken);
                lines.Add(FileDigest.Line(digest, shown));
            }
        });
        foreach (string line in lines)
        {
            await context.Out.WriteLineAsync(line);
        }
    }
}
