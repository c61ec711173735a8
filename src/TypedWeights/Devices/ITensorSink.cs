using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Streaming;

namespace TypedWeights.Devices;

/// <summary>A sink whose bytes end up as tensors of one device. A device is one folder here with one implementation of this.</summary>
internal interface ITensorSink : IWeightSink
{
    /// <summary>
    /// Whether the tensors' memory is the sink's own until they are handed over. Memory that the user holds already is not written to
    /// before the headers have been checked.
    /// </summary>
    bool OwnsMemory => true;

    /// <summary>Is told, before a plan is made of it, what will be loaded under which names.</summary>
    /// <exception cref="WeightsException">The options that the sink was made of do not fit the tensors.</exception>
    void Select(TensorSelection selection)
    {
    }

    /// <summary>Whether a tensor's bytes are to be read for it; false where they come into memory without.</summary>
    /// <exception cref="WeightSourceException">The file is not one that this sink can take tensors from.</exception>
    bool Reads(CheckpointFile file, TensorInfo tensor);

    /// <summary>
    /// Hands a tensor over, once, when it has landed (<see cref="IWeightSink.WhenLandedAsync"/> or <see cref="IWeightSink.CompleteAsync"/>
    /// has returned) or has no bytes to read; from then on it is the caller's to dispose. It belongs to no dispose scope. From many tasks at
    /// once, each for another tensor.
    /// </summary>
    /// <param name="tensor">An index into the plan's tensors.</param>
    torch.Tensor TakeTensor(int tensor);

    /// <summary>Writes what the user should know of how the tensors were made, once the load is complete.</summary>
    void Report(LoadLog.Load log)
    {
    }
}
