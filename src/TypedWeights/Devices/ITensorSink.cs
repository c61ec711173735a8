using Microsoft.Extensions.Logging;
using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Scheduling;

namespace TypedWeights.Devices;

/// <summary>A sink that makes tensors. Each kind of device has a folder here with its implementation.</summary>
internal interface ITensorSink : IWeightSink
{
    /// <summary>Sets the selection, before the plan is made.</summary>
    /// <param name="selection">The tensors and their names.</param>
    /// <param name="order">The order in which the model uses them.</param>
    /// <exception cref="WeightsException">The options of the load do not fit the tensors.</exception>
    void SetSelection(TensorSelection selection, Lazy<UseOrder> order)
    {
    }

    /// <summary>The device that a tensor is on, or will be; called after <see cref="SetSelection"/>.</summary>
    /// <param name="tensor">An index into the selection's tensors, which are the plan's.</param>
    torch.Device DeviceOf(int tensor);

    /// <summary>The dtype that a tensor has, or will have; called after <see cref="SetSelection"/>.</summary>
    /// <param name="tensor">An index into the selection's tensors.</param>
    /// <param name="inFile">Its dtype in the file.</param>
    DType DTypeOf(int tensor, DType inFile) => inFile;

    /// <summary>Whether the bytes of a tensor must be read; false if its memory is the mapped file.</summary>
    /// <exception cref="WeightSourceException">This sink cannot take tensors from the file.</exception>
    bool Reads(CheckpointFile file, TensorInfo tensor);

    /// <summary>Whether the bytes of each tensor must be read: an input of the plan.</summary>
    IReadOnlyList<bool> ReadsOf(IReadOnlyList<CheckpointFile> files, IReadOnlyList<CheckpointTensor> tensors) =>
        [.. tensors.Select(tensor => Reads(files[tensor.File], tensor.Info))];

    /// <summary>The memory that the plan's tensors will take; nothing is allocated. Called before <see cref="IWeightSink.Allocate"/>.</summary>
    SinkMemory MemoryOf(TransferPlan plan);

    /// <summary>
    /// Returns when a complete tensor is where the user will read it: at once in host memory, and on a device when its last copy is done.
    /// Called by many tasks at once; the token ends the wait.
    /// </summary>
    ValueTask WhenReadyAsync(int tensor, CancellationToken cancellationToken);

    /// <summary>Returns bytes of a complete tensor: the memory that they are in, or the buffer, filled.</summary>
    /// <param name="tensor">An index into the plan's tensors.</param>
    /// <param name="offset">The offset of the first byte in the tensor.</param>
    /// <param name="buffer">For a sink whose memory the host cannot read; as long as the bytes.</param>
    /// <param name="cancellationToken">Ends the copying.</param>
    /// <returns>As many bytes as the buffer has.</returns>
    ValueTask<ReadOnlyMemory<byte>> ReadBackAsync(int tensor, long offset, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>
    /// Hands a tensor over, once, when it is ready (<see cref="WhenReadyAsync"/> or <see cref="IWeightSink.CompleteAsync"/>
    /// has returned) or has no bytes to read. The caller disposes it. It belongs to no dispose scope. Called by many tasks at once, each for
    /// another tensor.
    /// </summary>
    /// <param name="tensor">An index into the plan's tensors.</param>
    torch.Tensor TakeTensor(int tensor);

    /// <summary>Logs what the user should know about how the tensors were made, once the load is complete.</summary>
    void Report(ILogger logger, string source)
    {
    }
}
