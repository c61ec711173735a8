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

    /// <summary>Whether a tensor's bytes are to be read for it; false where they come into memory without.</summary>
    /// <exception cref="WeightSourceException">The file is not one that this sink can take tensors from.</exception>
    bool Reads(CheckpointFile file, TensorInfo tensor);

    /// <summary>Gives bytes of a tensor that has all of its own: the memory that they lie in, or the buffer, filled.</summary>
    /// <param name="tensor">An index into the plan's tensors.</param>
    /// <param name="offset">The first byte, counted from the tensor's own first byte.</param>
    /// <param name="buffer">For a sink whose memory the host cannot read; as long as what is wanted.</param>
    /// <param name="cancellationToken">Ends the copying.</param>
    /// <returns>As many bytes as the buffer has.</returns>
    ValueTask<ReadOnlyMemory<byte>> ReadBackAsync(int tensor, long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        throw new WeightsException("Tensors of this device cannot be checked against digests in this version; load onto the CPU.");

    /// <summary>
    /// Hands the tensors over, in the plan's order, once <see cref="IWeightSink.CompleteAsync"/> has returned; from then on they are the
    /// caller's to dispose. They belong to no dispose scope.
    /// </summary>
    IReadOnlyList<torch.Tensor> TakeTensors();
}
