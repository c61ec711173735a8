using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Memory;
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

    /// <summary>Whether a tensor's bytes are to be read for it; false where they come into memory without.</summary>
    /// <exception cref="WeightSourceException">The file is not one that this sink can take tensors from.</exception>
    bool Reads(CheckpointFile file, TensorInfo tensor);

    /// <summary>How a plan's tensors will lie on a device; null where they are in host memory.</summary>
    DeviceLayout? Layout(TransferPlan plan) => null;

    /// <summary>
    /// Hands the tensors over, in the plan's order, once <see cref="IWeightSink.CompleteAsync"/> has returned; from then on they are the
    /// caller's to dispose. They belong to no dispose scope.
    /// </summary>
    IReadOnlyList<torch.Tensor> TakeTensors();
}
