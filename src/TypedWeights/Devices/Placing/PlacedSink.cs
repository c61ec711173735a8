using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Placing;

/// <summary>Tensors on several devices: each device has a sink of its own, which sees a plan of its tensors alone.</summary>
internal sealed class PlacedSink : ITensorSink
{
    private readonly Placement _placement;
    private readonly torch.Device _otherwise;
    private readonly Dictionary<string, ITensorSink> _sinks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ITensorSink> _byTensor = new(StringComparer.Ordinal);
    private torch.Device[] _devices = [];

    // For each tensor its sink, and its index in that sink's plan.
    private (ITensorSink Sink, int Index)[] _places = [];

    /// <param name="placement">Where to.</param>
    /// <param name="otherwise">Where the tensors go that it does not place.</param>
    /// <param name="ofDevice">Makes the sink of a device, or refuses it.</param>
    public PlacedSink(Placement placement, torch.Device otherwise, Func<torch.Device, ITensorSink> ofDevice)
    {
        _placement = placement;
        _otherwise = otherwise;
        foreach (torch.Device device in placement.Rules.Select(static rule => rule.Device).Append(otherwise))
        {
            string text = PlacedTensors.Text(device);
            if (!_sinks.ContainsKey(text))
            {
                _sinks.Add(text, ofDevice(device));
            }
        }
    }

    public long SegmentSize => _sinks.Values.Min(static sink => sink.SegmentSize);

    public bool Reads(CheckpointFile file, TensorInfo tensor) => _byTensor[tensor.Name].Reads(file, tensor);

    public void Select(TensorSelection selection, Lazy<UseOrder> order)
    {
        _devices = PlacedTensors.Of(_placement, selection, order, _otherwise);
        for (int i = 0; i < _devices.Length; i++)
        {
            _byTensor[selection.Tensors[i].Info.Name] = _sinks[PlacedTensors.Text(_devices[i])];
        }
    }

    public torch.Device DeviceOf(int tensor) => _devices[tensor];

    public SinkMemory MemoryOf(TransferPlan plan) =>
        Parts(plan).Select(static part => part.Sink.MemoryOf(part.Plan)).Aggregate(new SinkMemory(0), static (sum, part) => sum + part);

    public void Allocate(TransferPlan plan)
    {
        _places = new (ITensorSink, int)[plan.Tensors.Count];
        foreach ((ITensorSink sink, TransferPlan part, int[] tensors) in Parts(plan))
        {
            sink.Allocate(part);
            for (int i = 0; i < tensors.Length; i++)
            {
                _places[tensors[i]] = (sink, i);
            }
        }
    }

    public bool IsContinued(TransferSegment segment, TransferSegment by) =>
        _places[segment.Tensor].Sink is var sink && sink == _places[by.Tensor].Sink && sink.IsContinued(Inside(segment), Inside(by));

    public ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) =>
        _places[segment.Tensor].Sink.AcquireAsync(Inside(segment), cancellationToken);

    public ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken) =>
        _places[segment.Tensor].Sink.CommitAsync(Inside(segment), memory, cancellationToken);

    public ValueTask WhenReadyAsync(int tensor, CancellationToken cancellationToken) =>
        _places[tensor].Sink.WhenReadyAsync(_places[tensor].Index, cancellationToken);

    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        foreach (ITensorSink sink in _places.Select(static place => place.Sink).Distinct())
        {
            await sink.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask<ReadOnlyMemory<byte>> ReadBackAsync(int tensor, long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        _places[tensor].Sink.ReadBackAsync(_places[tensor].Index, offset, buffer, cancellationToken);

    public torch.Tensor TakeTensor(int tensor) => _places[tensor].Sink.TakeTensor(_places[tensor].Index);

    public void Report(ISinkReport report)
    {
        foreach (IGrouping<string, torch.Device> device in _devices.GroupBy(PlacedTensors.Text, StringComparer.Ordinal))
        {
            report.Placed(device.Count(), device.Key);
        }

        foreach (ITensorSink sink in _sinks.Values)
        {
            sink.Report(report);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ITensorSink sink in _sinks.Values)
        {
            await sink.DisposeAsync().ConfigureAwait(false);
        }
    }

    // A sink that gets no tensor is not asked for anything.
    private IEnumerable<(ITensorSink Sink, TransferPlan Plan, int[] Tensors)> Parts(TransferPlan plan) =>
        Enumerable.Range(0, plan.Tensors.Count)
            .GroupBy(tensor => _byTensor[plan.Tensors[tensor].Info.Name])
            .Select(group => group.ToArray() is var tensors ? (group.Key, plan.Part(tensors), tensors) : default);

    private TransferSegment Inside(TransferSegment segment) => segment with { Tensor = _places[segment.Tensor].Index };
}
