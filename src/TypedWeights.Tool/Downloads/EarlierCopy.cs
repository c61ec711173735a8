using TypedWeights.Checkpoints;
using TypedWeights.Format;
using TypedWeights.Memory;
using TypedWeights.Sources.File;

namespace TypedWeights.Tool.Downloads;

/// <summary>
/// Whether a file that has the name of one to be downloaded is an earlier copy of it, and so may be replaced unasked: it lists tensors of
/// the same names. Anything else is the user's.
/// </summary>
internal static class EarlierCopy
{
    /// <param name="path">The file that is there, in full.</param>
    /// <param name="file">The one that is to get its name.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async ValueTask<bool> IsAtAsync(string path, DownloadFile file, CancellationToken cancellationToken)
    {
        try
        {
            var budget = new HeaderBudget(MemoryBound.Of(null));
            FileSource there = FileSource.Open(path, path);
            await using (there.ConfigureAwait(false))
            {
                return file switch
                {
                    { Header: { } header } => IsSame(
                        (await there.ReadHeaderAsync(budget, cancellationToken).ConfigureAwait(false)).Tensors.Select(NameOf),
                        header.Tensors.Select(NameOf)),
                    { Shards: { } shards } when there.Length <= ShardIndex.LengthLimit => IsSame(
                        (await CheckpointReader.ReadIndexAsync(there, budget, cancellationToken).ConfigureAwait(false)).WeightMap.Keys,
                        shards.SelectMany(static shard => shard.Header.Tensors).Select(NameOf)),
                    _ => false,
                };
            }
        }
        catch (WeightsException)
        {
            // No safetensors file, no index, or not to be read.
            return false;
        }
    }

    private static string NameOf(TensorInfo tensor) => tensor.Name;

    private static bool IsSame(IEnumerable<string> there, IEnumerable<string> wanted) =>
        there.ToHashSet(StringComparer.Ordinal).SetEquals(wanted);
}
