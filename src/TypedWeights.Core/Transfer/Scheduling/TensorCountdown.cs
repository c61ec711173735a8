using TypedWeights.Transfer.Planning;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// Counts down the missing bytes of each tensor of a plan. The only code that knows when a tensor is complete: progress, digests and early
/// loads observe it.
/// </summary>
internal sealed class TensorCountdown
{
    private readonly long[] _bytesLeft;

    public TensorCountdown(TransferPlan plan)
    {
        _bytesLeft = new long[plan.TargetCount];
        foreach (TransferRange range in plan.Ranges)
        {
            for (int i = 0; i < range.Segments.Count; i++)
            {
                TransferSegment segment = range.Segments[i];
                if (!segment.IsGap)
                {
                    _bytesLeft[segment.Tensor] += segment.Length;
                }
            }
        }
    }

    /// <summary>Raised once for each tensor, from any thread, when its last byte has been committed to the sink.</summary>
    public event Action<int>? Completed;

    /// <summary>The number of tensors.</summary>
    public int Count => _bytesLeft.Length;

    /// <summary>Reports the tensors of which no byte is read.</summary>
    public void Start()
    {
        for (int i = 0; i < _bytesLeft.Length; i++)
        {
            if (_bytesLeft[i] == 0)
            {
                Completed?.Invoke(i);
            }
        }
    }

    /// <summary>Counts a segment that has been committed.</summary>
    public void Subtract(TransferSegment segment)
    {
        if (Interlocked.Add(ref _bytesLeft[segment.Tensor], -segment.Length) == 0)
        {
            Completed?.Invoke(segment.Tensor);
        }
    }
}
