using Microsoft.Extensions.Logging;
using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Memory;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Converting;

/// <summary>
/// Converts tensors to another dtype than that of the file, for any sink: each segment is read into a buffer, and converted from there into
/// the memory of the inner sink as soon as it is complete.
/// </summary>
/// <remarks>
/// <para>
/// Segment by segment and not tensor by tensor: the buffers stay small whatever the size of a tensor, and are in the processor's cache when they
/// are converted. While a reader holds a buffer it waits only for the inner sink, so that waiting for a buffer always ends.
/// </para>
/// <para>
/// The CPU converts, whatever the device: narrower tensors cross the bus with fewer bytes, and the device needs no memory for the wide ones.
/// </para>
/// </remarks>
/// <param name="inner">The wrapped sink; disposed with this one.</param>
/// <param name="rule">Which tensors are converted, and to what.</param>
/// <param name="transfer">The limit for buffers, and the number of readers, each of which holds one.</param>
internal sealed partial class ConvertingSink(ITensorSink inner, DTypeRule rule, TransferOptions transfer) : ITensorSink
{
    // A buffer may begin with a part of an element.
    private const int Slack = 2 * HeapRegion.SmallAlignment;

    private DType[] _targets = [];
    private TensorConversion?[] _conversions = [];
    private BufferPool? _buffers;
    private HeapRegion? _memory;
    private long _largest;

    public long SegmentSize => inner.SegmentSize;

    public void SetSelection(TensorSelection selection, Lazy<UseOrder> order)
    {
        _targets = [.. selection.Tensors.Select(tensor => rule.Of(tensor.Info))];
        inner.SetSelection(selection with { Tensors = Converted(selection.Tensors) }, order);
    }

    public bool Reads(CheckpointFile file, TensorInfo tensor) => inner.Reads(file, tensor);

    public torch.Device DeviceOf(int tensor) => inner.DeviceOf(tensor);

    public DType DTypeOf(int tensor, DType inFile) => _targets[tensor];

    public SinkMemory MemoryOf(TransferPlan plan) =>
        inner.MemoryOf(plan.WithTensors(Converted(plan.Tensors))) + new SinkMemory(0)
        {
            StagingBytes = BuffersFor(plan) is var (size, count) && count > 0 ? HeapRegion.SizeFor((long)size * count) : 0,
        };

    public void Allocate(TransferPlan plan)
    {
        TransferPlan converted = plan.WithTensors(Converted(plan.Tensors));
        _conversions = new TensorConversion?[plan.Tensors.Count];
        for (int i = 0; i < _conversions.Length; i++)
        {
            TensorInfo from = plan.Tensors[i].Info, to = converted.Tensors[i].Info;
            _conversions[i] = from.DType == to.DType ? null : new TensorConversion(from, to.DType);
        }

        _largest = plan.LargestRange;
        if (BuffersFor(plan) is var (size, buffers) && buffers > 0)
        {
            _memory = HeapRegion.Allocate((long)size * buffers);
            _buffers = new BufferPool();
            for (int i = 0; i < buffers; i++)
            {
                _buffers.Return(new NativeMemoryManager(_memory.Address + ((nint)i * size), size));
            }
        }

        inner.Allocate(converted);
    }

    public bool IsContinued(TransferSegment segment, TransferSegment by) =>
        _conversions[segment.Tensor] is null && _conversions[by.Tensor] is null && inner.IsContinued(segment, by);

    public async ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken)
    {
        if (_conversions[segment.Tensor] is not { } conversion)
        {
            return await inner.AcquireAsync(segment, cancellationToken).ConfigureAwait(false);
        }

        NativeMemoryManager buffer = await _buffers!.TakeAsync(cancellationToken).ConfigureAwait(false);
        return buffer.Memory.Slice(conversion.Misalignment(segment), (int)segment.Length);
    }

    public ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken) =>
        _conversions[segment.Tensor] is { } conversion
            ? ConvertAsync(conversion, segment, memory, cancellationToken)
            : inner.CommitAsync(segment, memory, cancellationToken);

    public ValueTask WhenReadyAsync(int tensor, CancellationToken cancellationToken) => inner.WhenReadyAsync(tensor, cancellationToken);

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => inner.CompleteAsync(cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>> ReadBackAsync(int tensor, long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        inner.ReadBackAsync(tensor, offset, buffer, cancellationToken);

    public torch.Tensor TakeTensor(int tensor) => inner.TakeTensor(tensor);

    public void Report(ILogger logger, string source)
    {
        TensorConversion[] converted = [.. _conversions.OfType<TensorConversion>()];
        foreach (IGrouping<DType, TensorConversion> from in converted.GroupBy(static conversion => conversion.From))
        {
            Converted(logger, source, from.Count(), _conversions.Length, from.Key.Name(), rule.Target.Name());
        }

        TensorConversion[] lossy = [.. converted.Where(static conversion => conversion.Overflows > 0)];
        if (lossy.Length > 0)
        {
            long values = lossy.Sum(static conversion => conversion.Overflows);
            Overflowed(logger, source, values, rule.Target.Name(), lossy.Length, lossy[0].Name);
        }

        inner.Report(logger, source);
    }

    public ValueTask DisposeAsync()
    {
        _buffers?.Dispose();
        _memory?.Dispose();
        return inner.DisposeAsync();
    }

    [LoggerMessage(7, LogLevel.Information, "{Source}: {Tensors} of {All} tensors were converted from {From} to {To}")]
    private static partial void Converted(ILogger logger, string source, int tensors, int all, string from, string to);

    [LoggerMessage(
        8,
        LogLevel.Warning,
        "{Source}: {Values} finite values became infinite in {To}, in {Tensors} tensors, the first of which is {First}")]
    private static partial void Overflowed(ILogger logger, string source, long values, string to, int tensors, string first);

    // A buffer takes the largest segment that is converted. All of them take half of the limit for buffers, or a quarter where the ring of a
    // device takes half of it; there is always one.
    private (int Size, int Count) BuffersFor(TransferPlan plan)
    {
        TransferSegment[] segments =
        [
            .. plan.Ranges.SelectMany(static range => range.Segments)
                .Where(segment => !segment.IsGap && plan.Tensors[segment.Tensor].Info.DType != _targets[segment.Tensor]),
        ];
        long largest = segments.Select(static segment => segment.Length).DefaultIfEmpty().Max();
        int size = (int)((largest + Slack - 1) & -HeapRegion.SmallAlignment);
        long most = Math.Min(segments.Length, Math.Max(transfer.MaxConnections, ReaderLimits.Local.Max));
        return (size, (int)Math.Min(most, Math.Max(1, transfer.BufferLimit / (SegmentSize == long.MaxValue ? 2 : 4) / size)));
    }

    // The tensors after the conversion, with their dtype and length.
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

        _buffers!.Return(BufferPool.BufferOf(staged));
    }

    // The inner sink gets segments no longer than those of the plan, also where elements become wider.
    private async ValueTask PutAsync(
        TensorConversion conversion, int tensor, long first, long count, ReadOnlyMemory<byte> elements, CancellationToken cancellationToken)
    {
        long most = Math.Max(1, Math.Min(_largest, SegmentSize) / conversion.ToSize);
        for (long done = 0; done < count;)
        {
            long take = Math.Min(most, count - done);
            var segment = new TransferSegment(tensor, (first + done) * conversion.ToSize, take * conversion.ToSize);
            Memory<byte> memory = await inner.AcquireAsync(segment, cancellationToken).ConfigureAwait(false);
            conversion.Convert(elements.Slice((int)(done * conversion.FromSize), (int)(take * conversion.FromSize)), memory, take);
            await inner.CommitAsync(segment, memory, cancellationToken).ConfigureAwait(false);
            done += take;
        }
    }
}
