using TorchSharp;
using TypedWeights.Errors;
using TypedWeights.Interop;
using TypedWeights.Memory;

namespace TypedWeights.Saving;

/// <summary>Writes tensors to a file; everything that saves tensors uses it.</summary>
internal static class SavedFile
{
    private const int ChunkSize = 16 << 20;

    /// <summary>Writes tensors that have been described.</summary>
    public static Task WriteAsync(
        string path, IReadOnlyList<SavedTensor> tensors, IReadOnlyDictionary<string, string>? metadata, CancellationToken cancellationToken)
    {
        TiedTensors tied = TiedTensors.Find(tensors, metadata);
        IEnumerable<SafeTensorsEntry> entries = tied.Kept.Select(tensor => new SafeTensorsEntry(
            tensor.Name, tensor.DType, tensor.Shape, (stream, token) => WriteAsync(tensor, stream, token), nameof(tensors)));
        return SafeTensorsWriter.WriteAsync(path, entries, tied.Metadata, cancellationToken);
    }

    // Element by element in row-major order, whatever the tensor's device and strides.
    private static async ValueTask WriteAsync(SavedTensor tensor, Stream stream, CancellationToken cancellationToken)
    {
        using torch.Tensor plain = Plain(tensor);
        long length = plain.numel() * plain.element_size();
        nint address = length == 0 ? 0 : TensorData.Address(plain);
        for (long offset = 0; offset < length; offset += ChunkSize)
        {
            var chunk = new NativeMemoryManager(address + (nint)offset, (int)Math.Min(ChunkSize, length - offset));
            await stream.WriteAsync(chunk.Memory, cancellationToken).ConfigureAwait(false);
        }
    }

    // Another handle on the tensor as a contiguous CPU tensor; over the same memory if it is one already.
    private static torch.Tensor Plain(SavedTensor tensor)
    {
        try
        {
            using var scope = torch.NewDisposeScope();
            using var quiet = torch.no_grad();

            // Conjugation and negation may be pending bits on a view; the memory has the plain values.
            return tensor.Tensor.detach().resolve_conj().resolve_neg().cpu().contiguous().alias().DetachFromDisposeScope();
        }
        catch (Exception e) when (e is System.Runtime.InteropServices.ExternalException or InvalidOperationException)
        {
            // TorchSharp throws the second for a tensor that was disposed after the writing started.
            throw new WeightsException($"The tensor {Printable.Name(tensor.Name)} could not be copied to the CPU to be saved: {e.Message}", e);
        }
    }
}
