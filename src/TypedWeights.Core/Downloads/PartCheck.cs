using System.Buffers;
using System.IO.Hashing;

namespace TypedWeights.Downloads;

/// <summary>Holds the parts that a journal calls finished against what is on the disk.</summary>
internal static class PartCheck
{
    private const int BufferLength = 1 << 20;

    /// <summary>Reads bytes of a file at a position; 0 at its end.</summary>
    internal delegate ValueTask<int> ReadAt(Memory<byte> destination, long position, CancellationToken cancellationToken);

    /// <summary>Checks all parts: those that are not what was noted down go, the others are sound.</summary>
    /// <param name="read">Reads the partial file.</param>
    /// <param name="parts">What the journal says.</param>
    /// <param name="verified">Is told of bytes as they are read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async ValueTask RunAsync(ReadAt read, PartMap parts, Action<long> verified, CancellationToken cancellationToken)
    {
        // A journal may have a million lines, and all of them may be wrong.
        var unsound = new HashSet<FinishedPart>();
        foreach (FinishedPart part in parts.Parts)
        {
            if (await IsSoundAsync(read, part, verified, cancellationToken).ConfigureAwait(false))
            {
                parts.MarkSound(part);
            }
            else
            {
                unsound.Add(part);
            }
        }

        if (unsound.Count > 0)
        {
            parts.Remove(unsound);
        }
    }

    /// <summary>Whether a part's bytes have the hash that was noted down.</summary>
    public static async ValueTask<bool> IsSoundAsync(
        ReadAt read, FinishedPart part, Action<long> verified, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(part.Length, BufferLength));
        try
        {
            var hash = new XxHash128();
            for (long done = 0; done < part.Length;)
            {
                Memory<byte> next = buffer.AsMemory(0, (int)Math.Min(part.Length - done, buffer.Length));
                int count = await read(next, part.Offset + done, cancellationToken).ConfigureAwait(false);
                if (count == 0)
                {
                    return false;
                }

                hash.Append(next.Span[..count]);
                done += count;
                verified(count);
            }

            return hash.GetCurrentHashAsUInt128() == part.Hash;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
