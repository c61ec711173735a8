using System.Buffers;
using System.Security.Cryptography;
using TypedWeights.Checkpoints;
using TypedWeights.Sources;

namespace TypedWeights.Tool.Inspection;

/// <summary>SHA-256 of every tensor's bytes, read once from the first byte to the last in a buffer of a megabyte.</summary>
internal static class TensorDigests
{
    private const int BufferLength = 1 << 20;

    /// <param name="checkpoint">The opened files.</param>
    /// <param name="read">Is told of bytes as they are read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Lower-case hexadecimal by tensor name.</returns>
    public static async Task<IReadOnlyDictionary<string, string>> ReadAsync(
        Checkpoint checkpoint, Action<long> read, CancellationToken cancellationToken)
    {
        var digests = new Dictionary<string, string>(checkpoint.Tensors.Count, StringComparer.Ordinal);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        try
        {
            foreach (CheckpointFile file in checkpoint.Files)
            {
                await ReadFileAsync(checkpoint, file, buffer, digests, read, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return digests;
    }

    // One range for the whole file: its tensors tile the data, so the next one always starts where this one ends.
    private static async Task ReadFileAsync(
        Checkpoint checkpoint,
        CheckpointFile file,
        byte[] buffer,
        Dictionary<string, string> digests,
        Action<long> read,
        CancellationToken cancellationToken)
    {
        IRangeReader? reader = file.Header.DataLength == 0
            ? null
            : await file.Source.OpenRangeAsync(file.Header.DataStart, file.Header.DataLength, cancellationToken).ConfigureAwait(false);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (TensorInfo tensor in file.Header.Tensors)
            {
                for (long left = tensor.ByteLength; left > 0;)
                {
                    Memory<byte> next = buffer.AsMemory(0, (int)Math.Min(left, buffer.Length));
                    int count = await reader!.ReadAsync(next, cancellationToken).ConfigureAwait(false);
                    hash.AppendData(next.Span[..count]);
                    left -= count;
                    read(count);
                }

                string digest = Convert.ToHexStringLower(hash.GetHashAndReset());

                // Of a tensor that two shards hold, the index says which counts.
                if (checkpoint.Files[checkpoint.Tensors[tensor.Name].File] == file)
                {
                    digests[tensor.Name] = digest;
                }
            }
        }
        finally
        {
            if (reader is not null)
            {
                await reader.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
