using Microsoft.Extensions.Logging;
using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Errors;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Placing;

/// <summary>Tensors on several devices: each device has a sink, which gets a plan of the tensors on this device.</summary>
internal sealed partial class PlacedSink : ITensorSink
{
    private readonly Placement _placement;
    private readonly torch.Device _otherwise;
    private readonly Dictionary<string, ITensorSink> _sinks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ITensorSink> _byTensor = new(StringComparer.Ordinal);
    private torch.Device[] _devices = [];

    // For each tensor its sink, and its index in that sink's plan.
    private (ITensorSink Sink, int Index)[] _places = [];

    /// <param name="placement">The rules.</param>
    /// <param name="otherwise">The device of the tensors that no rule places.</param>
    /// <param name="ofDevice">Makes the sink of a device.</param>
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

    public void SetSelection(TensorSelection selection, Lazy<UseOrder> order)
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

    public void Report(ILogger logger, string source)
    {
        foreach (IGrouping<string, torch.Device> device in _devices.GroupBy(PlacedTensors.Text, StringComparer.Ordinal))
        {
            Placed(logger, source, device.Count(), device.Key);
        }

        foreach (ITensorSink sink in _sinks.Values)
        {
            sink.Report(logger, source);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ITensorSink sink in _sinks.Values)
        {
            await sink.DisposeAsync().ConfigureAwait(false);
        }
    }

    [LoggerMessage(9, LogLevel.Information, "{Source}: {Tensors} tensors are on {Device}")]
    private static partial void Placed(ILogger logger, string source, int tensors, string device);

    // Only the sinks that get a tensor.
    private IEnumerable<(ITensorSink Sink, TransferPlan Plan, int[] Tensors)> Parts(TransferPlan plan) =>
        Enumerable.Range(0, plan.Tensors.Count)
            .GroupBy(tensor => _byTensor[plan.Tensors[tensor].Info.Name])
            .Select(group => group.ToArray() is var tensors ? (group.Key, plan.Part(tensors), tensors) : default);

    private TransferSegment Inside(TransferSegment segment) => segment with { Tensor = _places[segment.Tensor].Index };
}

/// <summary>Decides for each tensor of a selection which device it goes to.</summary>
internal static class PlacedTensors
{
    /// <param name="placement">The rules.</param>
    /// <param name="selection">The tensors, with all their names and their lengths on the devices.</param>
    /// <param name="order">The order in which the model uses them.</param>
    /// <param name="otherwise">The device of the tensors that no rule places.</param>
    /// <returns>The device of each tensor.</returns>
    /// <exception cref="WeightsException">A pattern matches no tensor, or two put one tensor on different devices.</exception>
    public static torch.Device[] Of(Placement placement, TensorSelection selection, Lazy<UseOrder> order, torch.Device otherwise)
    {
        var devices = new torch.Device?[selection.Tensors.Count];
        PlaceByPattern(placement, selection, devices);
        PlaceByBudget(placement, selection, order, devices);
        return [.. devices.Select(device => device ?? otherwise)];
    }

    /// <summary>The device as it is written: one text for one device, and <c>cuda</c> alone is <c>cuda:0</c>.</summary>
    public static string Text(torch.Device device) => device.type switch
    {
        DeviceType.CPU => "cpu",
        DeviceType.CUDA => $"cuda:{Math.Max(0, device.index)}",
        DeviceType type => type.ToString().ToLowerInvariant() + (device.index < 0 ? "" : $":{device.index}"),
    };

    private static void PlaceByPattern(Placement placement, TensorSelection selection, torch.Device?[] devices)
    {
        var placed = new (PlacementRule Rule, string Name)?[devices.Length];
        foreach (PlacementRule rule in placement.Rules.Where(static rule => rule.Pattern is not null))
        {
            bool isUsed = false;
            foreach ((string name, int tensor) in selection.Names.Where(pair => rule.Pattern!.Matches(pair.Key)))
            {
                isUsed = true;
                if (placed[tensor] is { } other && Text(other.Rule.Device) != Text(rule.Device))
                {
                    string same = other.Name == name ? "" : $", which is tied to {Printable.Name(other.Name)},";
                    throw new WeightsException(
                        $"Placement: {Printable.Name(name)}{same} is put on {Text(other.Rule.Device)} "
                            + $"by {Printable.Name(other.Rule.Pattern!.ToString())} "
                            + $"and on {Text(rule.Device)} by {Printable.Name(rule.Pattern!.ToString())}; a tensor has only one device.");
                }

                placed[tensor] = (rule, name);
                devices[tensor] = rule.Device;
            }

            if (!isUsed)
            {
                throw UnmatchedPattern.Error("Placement", rule.Pattern!, selection);
            }
        }
    }

    // After the first step that does not fit on a device, no other step goes there: consecutive layers stay together.
    private static void PlaceByBudget(Placement placement, TensorSelection selection, Lazy<UseOrder> order, torch.Device?[] devices)
    {
        if (placement.Rules.All(static rule => rule.Pattern is not null))
        {
            return;
        }

        using IEnumerator<PlacementRule> budgets = placement.Rules.Where(static rule => rule.Pattern is null).GetEnumerator();
        long left = 0;
        PlacementRule? budget = Next();
        IEnumerable<IGrouping<int, int>> steps = Enumerable.Range(0, devices.Length)
            .Where(tensor => devices[tensor] is null)
            .GroupBy(tensor => order.Value.Steps[tensor])
            .OrderBy(static step => step.Key);
        foreach (IGrouping<int, int> step in steps)
        {
            long bytes = step.Sum(tensor => selection.Tensors[tensor].Info.ByteLength);
            while (budget is not null && bytes > left)
            {
                budget = Next();
            }

            if (budget is null)
            {
                return;
            }

            left -= bytes;
            foreach (int tensor in step)
            {
                devices[tensor] = budget.Device;
            }
        }

        PlacementRule? Next()
        {
            PlacementRule? next = budgets.MoveNext() ? budgets.Current : null;
            left = next?.Budget ?? 0;
            return next;
        }
    }
}
