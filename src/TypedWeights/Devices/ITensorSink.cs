using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Devices;

/// <summary>A sink whose bytes end up as tensors of one device. A device is one folder here with one implementation of this.</summary>
internal interface ITensorSink : IWeightSink
{
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

    /// <summary>Whether each tensor's bytes are to be read: an input of the plan.</summary>
    IReadOnlyList<bool> ReadsOf(IReadOnlyList<CheckpointFile> files, IReadOnlyList<CheckpointTensor> tensors) =>
        [.. tensors.Select(tensor => Reads(files[tensor.File], tensor.Info))];

    /// <summary>Says what the plan's tensors will take; nothing is allocated. Asked before <see cref="IWeightSink.Allocate"/>.</summary>
    SinkMemory MemoryOf(TransferPlan plan);

    /// <summary>
    /// Returns when a tensor, all of whose bytes have been committed (or are not read), is where the user will read it, and is right as far
    /// as the sink can tell. From many tasks at once; the token ends the wait.
    /// </summary>
    /// <remarks>
    /// At once in the host's memory; on a device when its last copy is done, or the device's own work has been made to wait for it.
    /// </remarks>
    ValueTask WhenReadyAsync(int tensor, CancellationToken cancellationToken);

    /// <summary>Gives bytes of a tensor that has all of its own: the memory that they lie in, or the buffer, filled.</summary>
    /// <param name="tensor">An index into the plan's tensors.</param>
    /// <param name="offset">The first byte, counted from the tensor's own first byte.</param>
    /// <param name="buffer">For a sink whose memory the host cannot read; as long as what is wanted.</param>
    /// <param name="cancellationToken">Ends the copying.</param>
    /// <returns>As many bytes as the buffer has.</returns>
    ValueTask<ReadOnlyMemory<byte>> ReadBackAsync(int tensor, long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        throw new WeightsException("Tensors of this device cannot be checked against digests in this version; load onto the CPU.");

    /// <summary>
    /// Hands a tensor over, once, when it is ready (<see cref="WhenReadyAsync"/> or <see cref="IWeightSink.CompleteAsync"/>
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
