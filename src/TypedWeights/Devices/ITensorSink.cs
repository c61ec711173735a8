using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Scheduling;

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
    /// <param name="selection">The tensors and their names.</param>
    /// <param name="order">In what order they are used, for a sink that wants to know.</param>
    /// <exception cref="WeightsException">The options that the sink was made of do not fit the tensors.</exception>
    void Select(TensorSelection selection, Lazy<UseOrder> order)
    {
    }

    /// <summary>The device that a tensor is on, or will be; asked after <see cref="Select"/>.</summary>
    /// <param name="tensor">An index into the selection's tensors, which are the plan's.</param>
    torch.Device DeviceOf(int tensor);

    /// <summary>The dtype that a tensor has, or will have, as a file would say it; asked after <see cref="Select"/>.</summary>
    /// <param name="tensor">An index into the selection's tensors.</param>
    /// <param name="inFile">Its dtype in the file.</param>
    DType DTypeOf(int tensor, DType inFile) => inFile;

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
    /// Hands a tensor over, once, when it has landed (<see cref="IWeightSink.WhenLandedAsync"/> or <see cref="IWeightSink.CompleteAsync"/>
    /// has returned) or has no bytes to read; from then on it is the caller's to dispose. It belongs to no dispose scope. From many tasks at
    /// once, each for another tensor.
    /// </summary>
    /// <param name="tensor">An index into the plan's tensors.</param>
    torch.Tensor TakeTensor(int tensor);

    /// <summary>Writes what the user should know of how the tensors were made, once the load is complete.</summary>
    void Report(ISinkReport report)
    {
    }
}
