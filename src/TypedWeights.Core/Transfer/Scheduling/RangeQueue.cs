using TypedWeights.Sources;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// Hands a plan's ranges out to readers, in order. A file that can only be read in sequence is one piece of work.
/// For one caller at a time.
/// </summary>
internal sealed class RangeQueue
{
    private readonly List<IReadOnlyList<TransferRange>> _work;
    private int _next;

    public RangeQueue(TransferPlan plan, IReadOnlyList<IWeightSource> sources)
    {
        _work = new List<IReadOnlyList<TransferRange>>(plan.Ranges.Count);
        var sequential = new Dictionary<int, List<TransferRange>>();
        foreach (TransferRange range in plan.Ranges)
        {
            if (!sources[range.File].IsSequential)
            {
                _work.Add([range]);
            }
            else if (sequential.TryGetValue(range.File, out List<TransferRange>? ofFile))
            {
                ofFile.Add(range);
            }
            else
            {
                sequential.Add(range.File, ofFile = [range]);
                _work.Add(ofFile);
            }
        }
    }

    /// <summary>How many readers could be busy at once.</summary>
    public int Count => _work.Count;

    public bool IsEmpty => _next == _work.Count;

    /// <summary>Takes the next piece of work: ranges to be read one after the other.</summary>
    /// <returns>null when all has been handed out.</returns>
    public IReadOnlyList<TransferRange>? Take() => IsEmpty ? null : _work[_next++];
}
