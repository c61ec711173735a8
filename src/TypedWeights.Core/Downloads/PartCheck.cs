using System.Buffers;
using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;

namespace TypedWeights.Downloads;

/// <summary>Holds the parts that a journal calls finished against what is on the disk.</summary>
internal static class PartCheck
{
    private const int BufferLength = 1 << 20;

    /// <param name="file">The partial file.</param>
    /// <param name="parts">What the journal says.</param>
    /// <param name="sound">Takes the parts whose bytes have the hash that was noted down.</param>
    /// <param name="verified">Is told of bytes as they are read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async ValueTask RunAsync(
        SafeFileHandle file, IReadOnlyList<FinishedPart> parts, ByteRuns sound, Action<long> verified, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        try
        {
            var hash = new XxHash128();
            foreach (FinishedPart part in parts)
            {
                if (await HashAsync(file, part, hash, buffer, verified, cancellationToken).ConfigureAwait(false) == part.Hash)
                {
                    sound.Add(part.Offset, part.Length);
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async ValueTask<UInt128?> HashAsync(
        SafeFileHandle file, FinishedPart part, XxHash128 hash, byte[] buffer, Action<long> verified, CancellationToken cancellationToken)
    {
        hash.Reset();
        for (long done = 0; done < part.Length;)
        {
            Memory<byte> next = buffer.AsMemory(0, (int)Math.Min(part.Length - done, buffer.Length));
            int read = await RandomAccess.ReadAsync(file, next, part.Offset + done, cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                return null;
            }

            hash.Append(next.Span[..read]);
            done += read;
            verified(read);
        }

        return hash.GetCurrentHashAsUInt128();
    }
}
