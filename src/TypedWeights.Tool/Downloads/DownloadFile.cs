using System.Buffers.Binary;
using System.Security.Cryptography;
using TypedWeights.Checkpoints;
using TypedWeights.Downloads;
using TypedWeights.Format;
using TypedWeights.Memory;
using TypedWeights.Sources;
using TypedWeights.Sources.File;

namespace TypedWeights.Tool.Downloads;

/// <summary>One file to fetch.</summary>
/// <param name="Name">Its name relative to the folder of the entry.</param>
/// <param name="Source">The opened file.</param>
/// <param name="Header">The header that it had when it was opened; null if it is not a safetensors file.</param>
/// <param name="Shards">The shards of an index, as they were when they were opened; null if the file is not an index.</param>
internal sealed record DownloadFile(
    string Name, IWeightSource Source, SafeTensorsHeader? Header = null, IReadOnlyList<CheckpointFile>? Shards = null)
{
    /// <summary>The SHA-256 of the text of an index when it was read; null if the file is not an index.</summary>
    public string? IndexSha256 { get; init; }

    /// <summary>
    /// Compares what has been fetched with what was checked before the first byte: a source without a validator can change unnoticed.
    /// </summary>
    /// <exception cref="WeightSourceException">The file was replaced.</exception>
    public async Task CheckAsync(PartialFile file, CancellationToken cancellationToken)
    {
        if ((IndexSha256 ?? Header?.Sha256) is not { } expected)
        {
            return;
        }

        // All of an index; of a safetensors file the header, which follows the eight bytes of its length.
        byte[] text = await file.ReadAsync(0, checked((int)(Header?.DataStart ?? Source.Length)), cancellationToken);
        int start = Header is null ? 0 : text.Length - (int)Header.HeaderLength;
        if ((Header is not null && BinaryPrimitives.ReadInt64LittleEndian(text) != Header.HeaderLength)
            || Convert.ToHexStringLower(SHA256.HashData(text.AsSpan(start))) != expected)
        {
            throw Replaced(Source);
        }
    }

    public static WeightSourceException Replaced(IWeightSource source) =>
        new(source.Display, "the file was replaced while it was downloaded; download it again.");

    /// <summary>
    /// Whether an existing file lists tensors with the same names: then it is an earlier copy, and may be replaced without --force. Any other
    /// file belongs to the user.
    /// </summary>
    /// <param name="path">The existing file, in full.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async ValueTask<bool> IsEarlierCopyAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var budget = new HeaderBudget(MemoryBound.Of(null));
            await using FileSource there = FileSource.Open(path, path);
            if (Header is not null)
            {
                return IsSame((await there.ReadHeaderAsync(budget, cancellationToken)).Tensors.Select(NameOf), Header.Tensors.Select(NameOf));
            }

            return Shards is not null && there.Length <= ShardIndex.LengthLimit && IsSame(
                (await CheckpointReader.ReadIndexAsync(there, budget, cancellationToken)).WeightMap.Keys,
                Shards.SelectMany(static shard => shard.Header.Tensors).Select(NameOf));
        }
        catch (WeightsException)
        {
            // Not a safetensors file or an index, or it cannot be read.
            return false;
        }
    }

    private static string NameOf(TensorInfo tensor) => tensor.Name;

    private static bool IsSame(IEnumerable<string> there, IEnumerable<string> wanted) =>
        there.ToHashSet(StringComparer.Ordinal).SetEquals(wanted);
}
