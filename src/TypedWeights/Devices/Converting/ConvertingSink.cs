using TypedWeights.Checkpoints;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Converting;

/// <summary>
/// Tensors of another dtype than the file's, in any sink: each segment lands in a staging buffer and is converted from there into the
/// sink's own memory as soon as it is whole.
/// </summary>
/// <remarks>
/// <para>
/// Segment by segment and not tensor by tensor: the buffers stay small whatever the size of a tensor, and they are warm when they are
/// read. A reader holds at most one and waits for nothing while it does but the sink below, so that waiting for a buffer always ends.
/// </para>
/// <para>
/// On the CPU whatever the device: what narrows crosses the bus with half of its bytes, and the device needs no memory for the wide
/// ones.
/// </para>
/// </remarks>
internal sealed class ConvertingSink(ITensorSink inner, DTypeRule rule, TransferOptions transfer) : DelegatingTensorSink(inner)
{
    private DType[] _targets = [];
    private TensorConversion?[] _conversions = [];
    private StagingBuffers? _staging;
    private long _largest;

    public override void Select(TensorSelection selection, Lazy<UseOrder> order)
    {
        _targets = [.. selection.Tensors.Select(tensor => rule.Of(tensor.Info))];
        Inner.Select(selection with { Tensors = Converted(selection.Tensors) }, order);
    }

    public override DType DTypeOf(int tensor, DType inFile) => _targets[tensor];

    public override SinkMemory MemoryOf(TransferPlan plan) =>
        Inner.MemoryOf(plan.WithTensors(Converted(plan.Tensors))) + new SinkMemory(0) { StagingBytes = Staging(plan).Bytes };

    public override void Allocate(TransferPlan plan)
    {
        TransferPlan converted = plan.WithTensors(Converted(plan.Tensors));
        _conversions = new TensorConversion?[plan.Tensors.Count];
        for (int i = 0; i < _conversions.Length; i++)
        {
            TensorInfo from = plan.Tensors[i].Info, to = converted.Tensors[i].Info;
            _conversions[i] = from.DType == to.DType ? null : new TensorConversion(from, to.DType);
        }

        _largest = plan.LargestRange;
        _staging = Staging(plan);
        _staging.Allocate();
        Inner.Allocate(converted);
    }

    public override bool IsContinued(TransferSegment segment, TransferSegment by) =>
        _conversions[segment.Tensor] is null && _conversions[by.Tensor] is null && Inner.IsContinued(segment, by);

    public override ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) =>
        _conversions[segment.Tensor] is { } conversion
            ? _staging!.AcquireAsync((int)segment.Length, conversion.Misalignment(segment), cancellationToken)
            : Inner.AcquireAsync(segment, cancellationToken);

    public override ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken) =>
        _conversions[segment.Tensor] is { } conversion
            ? ConvertAsync(conversion, segment, memory, cancellationToken)
            : Inner.CommitAsync(segment, memory, cancellationToken);

    public override void Report(ISinkReport report)
    {
        foreach (IGrouping<DType, TensorConversion> from in _conversions.OfType<TensorConversion>().GroupBy(static conversion => conversion.From))
        {
            report.Converted(from.Count(), _conversions.Length, from.Key, rule.Target);
        }

        TensorConversion[] lossy = [.. _conversions.OfType<TensorConversion>().Where(static conversion => conversion.Overflows > 0)];
        if (lossy.Length > 0)
        {
            report.Overflowed(lossy.Sum(static conversion => conversion.Overflows), lossy.Length, lossy[0].Name, rule.Target);
        }

        Inner.Report(report);
    }

    public override async ValueTask DisposeAsync()
    {
        _staging?.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    // Half of the limit for buffers; a quarter where a device's ring takes half of it.
    private StagingBuffers Staging(TransferPlan plan) => StagingBuffers.For(
        plan,
        [.. plan.Tensors.Zip(_targets, static (tensor, to) => tensor.Info.DType != to)],
        transfer.BufferLimit / (Inner.SegmentSize == long.MaxValue ? 2 : 4),
        transfer);

    // The tensors as they will be: of another dtype, and as long as that makes them.
    private IReadOnlyList<CheckpointTensor> Converted(IReadOnlyList<CheckpointTensor> tensors) =>
    [
        .. tensors.Zip(_targets, static (tensor, to) => tensor.Info.DType == to ? tensor : tensor with
        {
            Info = tensor.Info with
            {
                DType = to,
                End = checked(tensor.Info.Begin + (tensor.Info.ByteLength / (tensor.Info.DType.BitSize() / 8) * (to.BitSize() / 8))),
            },
        }),
    ];

    private async ValueTask ConvertAsync(
        TensorConversion conversion, TransferSegment segment, Memory<byte> staged, CancellationToken cancellationToken)
    {
        (long first, long count, int skipped) = conversion.WholeElements(segment);
        await PutAsync(conversion, segment.Tensor, first, count, staged[skipped..], cancellationToken).ConfigureAwait(false);
        foreach ((long element, byte[] bytes) in conversion.JoinEdges(segment, staged.Span))
        {
            await PutAsync(conversion, segment.Tensor, element, 1, bytes, cancellationToken).ConfigureAwait(false);
        }

        _staging!.GiveBack(staged);
    }

    // The sink below gets segments no longer than those of the plan, also where elements become wider.
    private async ValueTask PutAsync(
        TensorConversion conversion, int tensor, long first, long count, ReadOnlyMemory<byte> elements, CancellationToken cancellationToken)
    {
        long most = Math.Max(1, Math.Min(_largest, SegmentSize) / conversion.ToSize);
        for (long done = 0; done < count;)
        {
            long take = Math.Min(most, count - done);
            var segment = new TransferSegment(tensor, (first + done) * conversion.ToSize, take * conversion.ToSize);
            Memory<byte> memory = await Inner.AcquireAsync(segment, cancellationToken).ConfigureAwait(false);
            conversion.Convert(elements.Slice((int)(done * conversion.FromSize), (int)(take * conversion.FromSize)), memory, take);
            await Inner.CommitAsync(segment, memory, cancellationToken).ConfigureAwait(false);
            done += take;
        }
    }
}
