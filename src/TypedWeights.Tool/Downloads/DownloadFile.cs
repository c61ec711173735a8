using System.Buffers.Binary;
using System.Security.Cryptography;
using TypedWeights.Checkpoints;
using TypedWeights.Downloads;
using TypedWeights.Format;
using TypedWeights.Sources;

namespace TypedWeights.Tool.Downloads;

/// <summary>One file to fetch.</summary>
/// <param name="Name">Its name relative to the folder of the entry.</param>
/// <param name="Source">The opened file.</param>
/// <param name="Header">The header that it had when it was opened; null for what is no safetensors file.</param>
/// <param name="Shards">The files that it is the index of, as they were when they were opened; null for what is no index.</param>
internal sealed record DownloadFile(
    string Name, IWeightSource Source, SafeTensorsHeader? Header = null, IReadOnlyList<CheckpointFile>? Shards = null)
{
    /// <summary>
    /// Holds what has been fetched against what was checked before the first byte: a source without a validator can change unnoticed.
    /// </summary>
    /// <exception cref="WeightSourceException">It is another file.</exception>
    /// <exception cref="SafeTensorsFormatException">It is no index, or not that of the shards.</exception>
    public async Task CheckAsync(PartialFile file, CancellationToken cancellationToken)
    {
        if (Shards is not null)
        {
            byte[] text = await file.ReadAsync(0, checked((int)Source.Length), cancellationToken).ConfigureAwait(false);
            var index = ShardIndex.Read(text, Source.Display);
            if (!index.Shards.SequenceEqual(Shards.Select(shard => shard.Name)))
            {
                throw Replaced(Source);
            }

            _ = ShardCheck.Run(index, Shards, Source.Display, []);
        }
        else if (Header is not null)
        {
            byte[] start = await file.ReadAsync(0, checked((int)Header.DataStart), cancellationToken).ConfigureAwait(false);
            int prefix = start.Length - (int)Header.HeaderLength;
            if (BinaryPrimitives.ReadInt64LittleEndian(start) != Header.HeaderLength
                || Convert.ToHexStringLower(SHA256.HashData(start.AsSpan(prefix))) != Header.Sha256)
            {
                throw Replaced(Source);
            }
        }
    }

    public static WeightSourceException Replaced(IWeightSource source) =>
        new(source.Display, "the file was replaced while it was downloaded; download it again.");
}
