using TypedWeights.Transfer.Limits;

namespace TypedWeights.Transfer.Planning;

/// <summary>The requests and the memory of a load, in numbers, before it starts.</summary>
internal sealed record PlanSummary
{
    /// <summary>Tensors wanted.</summary>
    public required int Tensors { get; init; }

    /// <summary>Files with bytes to read.</summary>
    public required int Files { get; init; }

    /// <summary>The length of all files of the checkpoint.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Bytes of tensors to read.</summary>
    public required long Bytes { get; init; }

    /// <summary>Bytes of gaps, which are read and dropped.</summary>
    public required long GapBytes { get; init; }

    /// <summary>Ranges of bytes: one request each, except in files that are read in order, from the response that opened them.</summary>
    public required int Ranges { get; init; }

    /// <summary>The bytes of the largest range.</summary>
    public required long LargestRange { get; init; }

    /// <summary>Requests that opened the checkpoint; 0 for local files.</summary>
    public required long OpeningRequests { get; init; }

    /// <summary>Requests for the tensors; for local files, the ranges.</summary>
    public required long TensorRequests { get; init; }

    /// <summary>How many ranges are read at the same time, each over its own connection if the source is remote.</summary>
    public required ReaderLimits Readers { get; init; }

    /// <summary>The memory of the load.</summary>
    public required MemoryNeed Memory { get; init; }

    /// <summary>All requests.</summary>
    public long Requests => OpeningRequests + TensorRequests;

    /// <param name="plan">The plan.</param>
    /// <param name="options">How it will be read.</param>
    /// <param name="readers">By how many readers.</param>
    /// <param name="isRemote">Whether it is read across a network.</param>
    /// <param name="openingRequests">The requests that were sent so far.</param>
    /// <param name="sink">The memory of the tensors; null for all of them in host memory.</param>
    public static PlanSummary Of(
        TransferPlan plan, TransferOptions options, ReaderLimits readers, bool isRemote, long openingRequests, SinkMemory? sink = null)
    {
        int[] perFile = new int[plan.FileCount];
        foreach (TransferRange range in plan.Ranges)
        {
            perFile[range.File]++;
        }

        // A file that can only be read in order is read by one reader, from the response that opened it.
        bool IsSequential(int file) => plan.Files[file].Source.IsSequential;
        int most = Math.Min(readers.Max, perFile.Select((ranges, file) => IsSequential(file) ? Math.Min(ranges, 1) : ranges).Sum());
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
            TensorRequests = perFile.Select((ranges, file) => IsSequential(file) ? 0 : ranges).Sum(),
            Readers = readers with { Min = Math.Min(readers.Min, most), Max = most },
            Memory = MemoryNeed.Of(plan, options, isRemote, sink: sink),
        };
    }
}
