using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Devices;
using TypedWeights.Weights;

namespace TypedWeights.Loading.Early;

/// <summary>A set whose tensors come one by one.</summary>
internal sealed class PromisedSet
{
    private readonly ITensorSink _sink;
    private readonly Arrival[] _arrivals;
    private readonly List<WeightEntry>[] _entries;

    /// <param name="weights">An empty set.</param>
    /// <param name="selection">What will come, under which names.</param>
    /// <param name="sink">From where.</param>
    public PromisedSet(WeightSet weights, TensorSelection selection, ITensorSink sink)
    {
        Weights = weights;
        _sink = sink;
        _arrivals = [.. selection.Tensors.Select(static _ => new Arrival())];
        _entries = [.. selection.Tensors.Select(static _ => new List<WeightEntry>(1))];
        foreach ((string name, int index) in selection.Names)
        {
            TensorInfo info = selection.Tensors[index].Info;
            _entries[index].Add(weights.Promise(name, info, sink.DeviceOf(index), sink.DTypeOf(index, info.DType), _arrivals[index]));
        }
    }

    public WeightSet Weights { get; }

    /// <summary>Lets a tensor be seen: it is where it will be read.</summary>
    public void Come(int tensor)
    {
        torch.Tensor taken = _sink.TakeTensor(tensor);
        _entries[tensor][0].Come(taken);
        foreach (WeightEntry tied in _entries[tensor].Skip(1))
        {
            tied.Come(taken.alias().DetachFromDisposeScope());
        }

        _arrivals[tensor].Come();
    }

    /// <summary>Says of every tensor that has not come why it never will.</summary>
    public void Fail(Exception failure) => Array.ForEach(_arrivals, arrival => arrival.Fail(failure));
}
