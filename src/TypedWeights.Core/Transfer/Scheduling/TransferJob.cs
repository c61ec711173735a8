using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>One transfer as a value: what is read, from which files, and where it goes.</summary>
/// <param name="Plan">What is read.</param>
/// <param name="Files">The opened files that the plan was made for.</param>
/// <param name="Sink">Where it goes.</param>
/// <param name="Readers">How many ranges are read at a time.</param>
internal sealed record TransferJob(TransferPlan Plan, IReadOnlyList<IWeightSource> Files, IWeightSink Sink, ReaderLimits Readers)
{
    /// <summary>Is called when the sink has its memory, before the first byte is read.</summary>
    public Action? Allocated { get; init; }

    /// <summary>Is called with the progress, at most ten times a second and at the end.</summary>
    public Action<LoadProgress>? Progress { get; init; }

    /// <summary>Follow the tensors, in this order.</summary>
    public IReadOnlyList<ITensorObserver> Observers { get; init; } = [];
}
