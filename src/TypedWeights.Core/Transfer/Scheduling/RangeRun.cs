using System.Buffers;
using System.Runtime.CompilerServices;
using TypedWeights.Sources;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Transfer.Scheduling;

/// <summary>Reads one range into the memory of its tensors.</summary>
internal sealed class RangeRun
{
    private const int ScratchSize = 64 << 10;

    private readonly TransferRange _range;
    private readonly IWeightSource _source;
    private readonly IWeightSink _sink;
    private readonly TensorCountdown _countdown;
    private readonly Action<int> _onArrived;

    public RangeRun(TransferRange range, IWeightSource source, IWeightSink sink, TensorCountdown countdown, ProgressTracker tracker)
    {
        _range = range;
        _source = source;
        _sink = sink;
        _countdown = countdown;
        _onArrived = bytes => tracker.AddBytes(range.File, bytes);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask ReadAsync(CancellationToken cancellationToken)
    {
        IRangeReader reader = await _source.OpenRangeAsync(_range.Offset, _range.Length, cancellationToken).ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            for (int i = 0; i < _range.Segments.Count;)
            {
                int first = i;
                TransferSegment segment = Joined(ref i);
                if (segment.IsGap)
                {
                    await DropAsync(reader, segment.Length, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                Memory<byte> memory = await _sink.AcquireAsync(segment, cancellationToken).ConfigureAwait(false);
                await reader.FillAsync(memory, _onArrived, cancellationToken).ConfigureAwait(false);
                await _sink.CommitAsync(segment, memory, cancellationToken).ConfigureAwait(false);
                for (; first < i; first++)
                {
                    _countdown.Subtract(_range.Segments[first]);
                }
            }
        }
    }

    // A segment and the ones after it that the sink takes in one piece.
    private TransferSegment Joined(ref int index)
    {
        TransferSegment joined = _range.Segments[index++];
        for (; !joined.IsGap && index < _range.Segments.Count; index++)
        {
            TransferSegment next = _range.Segments[index];
            if (next.IsGap || joined.Length + next.Length > int.MaxValue || !_sink.IsContinued(joined, next))
            {
                break;
            }

            joined = joined with { Length = joined.Length + next.Length };
        }

        return joined;
    }

    private static async ValueTask DropAsync(IRangeReader reader, long length, CancellationToken cancellationToken)
    {
        byte[] scratch = ArrayPool<byte>.Shared.Rent((int)Math.Min(length, ScratchSize));
        try
        {
            for (long left = length; left > 0; left -= scratch.Length)
            {
                Memory<byte> next = scratch.AsMemory(0, (int)Math.Min(left, scratch.Length));
                await reader.FillAsync(next, static _ => { }, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }
}
