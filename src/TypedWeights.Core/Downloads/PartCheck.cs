using System.Buffers;
using System.IO.Hashing;

namespace TypedWeights.Downloads;

/// <summary>Compares the parts that a journal lists with the bytes on the disk.</summary>
internal static class PartCheck
{
    private const int BufferLength = 1 << 20;

    /// <summary>Reads bytes of a file at a position; returns 0 at its end.</summary>
    internal delegate ValueTask<int> ReadAt(Memory<byte> destination, long position, CancellationToken cancellationToken);

    /// <summary>Reads all parts and returns those whose bytes have their hash.</summary>
    /// <param name="read">Reads the file.</param>
    /// <param name="noted">The parts that the journal lists.</param>
    /// <param name="verified">Is called with the number of bytes of each read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async ValueTask<PartMap> SoundOfAsync(ReadAt read, PartMap noted, Action<long> verified, CancellationToken cancellationToken)
    {
        var sound = new PartMap();
        foreach (FinishedPart part in noted.Parts)
        {
            if (await IsSoundAsync(read, part, verified, cancellationToken).ConfigureAwait(false))
            {
                sound.Add(part, isSound: true);
            }
        }

        return sound;
    }

    /// <summary>Whether the bytes of a part have the hash that was noted down.</summary>
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
