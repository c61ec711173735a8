using TypedWeights.Transfer.Limits;

namespace TypedWeights.Transfer.Planning;

/// <summary>What a load will ask for and take, in numbers, before it begins.</summary>
internal sealed record PlanSummary
{
    /// <summary>Tensors wanted.</summary>
    public required int Tensors { get; init; }

    /// <summary>Files that something is read from.</summary>
    public required int Files { get; init; }

    /// <summary>The length of all files of the checkpoint.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Bytes of tensors to read.</summary>
    public required long Bytes { get; init; }

    /// <summary>Bytes read along in gaps and dropped.</summary>
    public required long GapBytes { get; init; }

    /// <summary>Ranges of bytes: one request each, except in files that come as a whole, with the answer that opened them.</summary>
    public required int Ranges { get; init; }

    /// <summary>The bytes of the largest range.</summary>
    public required long LargestRange { get; init; }

    /// <summary>Requests that opening the checkpoint took; 0 for files of this machine.</summary>
    public required long OpeningRequests { get; init; }

    /// <summary>Requests for the tensors; of files of this machine, the ranges read.</summary>
    public required long TensorRequests { get; init; }

    /// <summary>How many ranges are read at once: over as many connections, where that crosses a network.</summary>
    public required ReaderLimits Readers { get; init; }

    /// <summary>The memory that the load takes.</summary>
    public required MemoryNeed Memory { get; init; }

    /// <summary>Requests in all.</summary>
    public long Requests => OpeningRequests + TensorRequests;

    /// <param name="plan">The plan.</param>
    /// <param name="options">How it will be read.</param>
    /// <param name="readers">By how many.</param>
    /// <param name="isRemote">Whether that crosses a network.</param>
    /// <param name="openingRequests">What it took to come this far.</param>
    /// <param name="sink">What the tensors take; null for all of them in host memory.</param>
    public static PlanSummary Of(
        TransferPlan plan, TransferOptions options, ReaderLimits readers, bool isRemote, long openingRequests, SinkMemory? sink = null)
    {
        int[] perFile = new int[plan.FileCount];
        foreach (TransferRange range in plan.Ranges)
        {
            perFile[range.File]++;
        }

        // A file that can only be read in sequence is one reader's, and comes with the answer that opened it.
        bool IsInOneGo(int file) => plan.Files[file].Source.IsSequential;
        int most = Math.Min(readers.Max, perFile.Select((ranges, file) => IsInOneGo(file) ? Math.Min(ranges, 1) : ranges).Sum());
        return new PlanSummary
        {
            Tensors = plan.Tensors.Count,
            Files = perFile.Count(ranges => ranges > 0),
            FileBytes = plan.Files.Sum(file => file.Source.Length),
            Bytes = plan.TotalBytes,
            GapBytes = plan.GapBytes,
            Ranges = plan.Ranges.Count,
            LargestRange = plan.LargestRange,
            OpeningRequests = openingRequests,
            TensorRequests = perFile.Select((ranges, file) => IsInOneGo(file) ? 0 : ranges).Sum(),
            Readers = readers with { Min = Math.Min(readers.Min, most), Max = most },
            Memory = MemoryNeed.Of(plan, options, isRemote, sink: sink),
        };
    }
}
