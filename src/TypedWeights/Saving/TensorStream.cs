using TorchSharp;
using TypedWeights.Errors;
using TypedWeights.Interop;
using TypedWeights.Memory;

namespace TypedWeights.Saving;

/// <summary>Writes a tensor's elements row by row, whatever its device and strides.</summary>
internal static class TensorStream
{
    private const int ChunkSize = 16 << 20;

    public static async ValueTask WriteAsync(torch.Tensor tensor, string name, Stream stream, CancellationToken cancellationToken)
    {
        using torch.Tensor plain = Plain(tensor, name);
        long length = plain.numel() * plain.element_size();
        nint address = length == 0 ? 0 : TensorData.Address(plain);
        for (long offset = 0; offset < length; offset += ChunkSize)
        {
            var chunk = new NativeMemoryManager(address + (nint)offset, (int)Math.Min(ChunkSize, length - offset));
            await stream.WriteAsync(chunk.Memory, cancellationToken).ConfigureAwait(false);
        }
    }

    // A handle of its own on a contiguous CPU tensor; over the same memory where the tensor is one already.
    private static torch.Tensor Plain(torch.Tensor tensor, string name)
    {
        try
        {
            using var scope = torch.NewDisposeScope();
            using var quiet = torch.no_grad();

            // Conjugation and negation may be pending bits on a view; the memory has the plain values.
            return tensor.detach().resolve_conj().resolve_neg().cpu().contiguous().alias().DetachFromDisposeScope();
        }
        catch (Exception e) when (e is System.Runtime.InteropServices.ExternalException or InvalidOperationException)
        {
            // The second is TorchSharp's for a tensor that was disposed since the writing began.
            throw new WeightsException($"The tensor {Printable.Name(name)} could not be copied to the CPU to be saved: {e.Message}", e);
        }
    }
}
