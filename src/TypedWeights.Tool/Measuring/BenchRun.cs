using System.Diagnostics;
using System.Globalization;
using TypedWeights.Checkpoints;
using TypedWeights.Errors;
using TypedWeights.Memory;
using TypedWeights.Sources;
using TypedWeights.Tool.Arguments;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Output.Progress;
using TypedWeights.Tool.Running;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Tool.Measuring;

/// <summary>Reads every tensor of a checkpoint into memory, the way a load does, and measures it.</summary>
internal static class BenchRun
{
    /// <param name="sources">The stores, with the options to measure.</param>
    /// <param name="uri">The checkpoint.</param>
    /// <param name="overrides">The options of the command line.</param>
    /// <param name="view">Shows the progress.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<BenchResult> RunAsync(
        ToolSources sources, WeightUri uri, TransferOverrides overrides, ProgressView view, CancellationToken cancellationToken)
    {
        BenchResult? result = null;
        var figures = new TransferFigures("reading");
        await view.RunAsync(figures, async () => result = await ReadAsync(sources, uri, overrides, figures, cancellationToken));
        return result!;
    }

    private static async Task<BenchResult> ReadAsync(
        ToolSources sources, WeightUri uri, TransferOverrides overrides, TransferFigures figures, CancellationToken cancellationToken)
    {
        TransferContext transfer = sources.Context;
        using var process = Process.GetCurrentProcess();
        (long start, long allocated, TimeSpan processor) =
            (Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes(precise: true), process.TotalProcessorTime);
        await using OpenedCheckpoint opened = await sources.OpenAsync(uri, cancellationToken);
        bool isRemote = opened.Location.IsRemote;
        IReadOnlyList<CheckpointFile> files = opened.Checkpoint.Files;
        TransferPlan plan = TransferPlan.Create(files, [.. opened.Checkpoint.Tensors.Values], overrides.Parts(transfer.Options, isRemote));

        // Only the limit of the container applies, not the limit of the buffers.
        TransferOptions unbounded = transfer.Options with { BufferLimit = long.MaxValue };
        MemoryNeed.Of(plan, transfer.Options, isRemote).ThrowIfBeyond(uri.Display, unbounded, MemoryBound.Of(null), isRemote);
        await using var sink = new MemorySink();
        var job = new TransferJob(plan, [.. files.Select(static file => file.Source)], sink, overrides.Readers(transfer.Options, isRemote))
        {
            Progress = now => figures.Report(now.Bytes, now.BytesTotal),
        };
        await TransferRunner.RunAsync(job, transfer, cancellationToken);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        process.Refresh();
        return new BenchResult(
            plan.TotalBytes,
            elapsed,
            isRemote ? transfer.Requests : plan.Ranges.Count,
            transfer.Retries,
            PeakMemoryOf(process),
            GC.GetTotalAllocatedBytes(precise: true) - allocated,
            process.TotalProcessorTime - processor);
    }

    // Process.PeakWorkingSet64 is not a peak on Linux.
    private static long PeakMemoryOf(Process process)
    {
        const string Name = "VmHWM:";
        string? line = OperatingSystem.IsLinux()
            ? File.ReadLines("/proc/self/status").FirstOrDefault(static line => line.StartsWith(Name, StringComparison.Ordinal))
            : null;
        return long.TryParse(line.AsSpan(line is null ? 0 : Name.Length).Trim(" \tkB"), CultureInfo.InvariantCulture, out long kilobytes)
            ? kilobytes * 1024
            : process.PeakWorkingSet64;
    }
}

/// <summary>What reading a checkpoint took. Scripts depend on the members of its JSON and their order.</summary>
/// <param name="Bytes">Bytes of tensors.</param>
/// <param name="Elapsed">From the start of opening to the last byte.</param>
/// <param name="Requests">Requests to a server, repeated ones included; of files of this machine, the ranges read.</param>
/// <param name="Retries">Requests that were repeated.</param>
/// <param name="PeakMemory">The most memory of the process that was in main memory at a time, in bytes.</param>
/// <param name="Allocated">Bytes of managed memory allocated.</param>
/// <param name="Processor">Time of all cores, in the program and in the system on its behalf.</param>
internal sealed record BenchResult(
    long Bytes, TimeSpan Elapsed, long Requests, long Retries, long PeakMemory, long Allocated, TimeSpan Processor)
{
    /// <summary>Decimal gigabytes.</summary>
    public double GigabytesPerSecond => Elapsed > TimeSpan.Zero ? Bytes / 1e9 / Elapsed.TotalSeconds : 0;

    public string ToJson() => string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"bytes\":{Bytes},\"seconds\":{Elapsed.TotalSeconds:0.######},\"gbPerSecond\":{GigabytesPerSecond:0.######},")
        + string.Create(CultureInfo.InvariantCulture, $"\"requests\":{Requests},\"retries\":{Retries},\"peakRssBytes\":{PeakMemory},")
        + string.Create(
            CultureInfo.InvariantCulture, $"\"allocatedBytes\":{Allocated},\"cpuSeconds\":{Processor.TotalSeconds:0.######}}}");

    public void Print(Page page, string uri)
    {
        page.Line(uri, Page.Strong);
        page.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"{ByteText.Of(Bytes)} in {Elapsed.TotalSeconds:0.000} s: {ByteText.OfRate(GigabytesPerSecond * 1e9)}"));
        page.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"  requests      {Requests:N0} ({(Retries == 1 ? "1 retry" : $"{Retries:N0} retries")})"));
        page.Line($"  peak memory   {ByteText.Of(PeakMemory)}");
        page.Line($"  managed       {ByteText.Of(Allocated)} allocated");
        page.Line(string.Create(CultureInfo.InvariantCulture, $"  processor     {Processor.TotalSeconds:0.000} s"));
    }
}
