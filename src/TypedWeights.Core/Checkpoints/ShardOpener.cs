using System.Runtime.ExceptionServices;
using TypedWeights.Errors;
using TypedWeights.Format;
using TypedWeights.Memory;
using TypedWeights.Sources;

namespace TypedWeights.Checkpoints;

/// <summary>Opens files and reads their headers, several at a time. On failure nothing stays open.</summary>
internal static class ShardOpener
{
    private const int AtATime = 8;

    public static async ValueTask<CheckpointFile> OpenAsync(
        IWeightLocation location, string name, HeaderBudget? budget, CancellationToken cancellationToken)
    {
        IWeightSource source = await location.OpenAsync(name, cancellationToken).ConfigureAwait(false);
        try
        {
            SafeTensorsHeader header = await source.ReadHeaderAsync(budget, cancellationToken).ConfigureAwait(false);
            return new CheckpointFile(name, source, header);
        }
        catch
        {
            await source.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Opens all shards of an index.</summary>
    /// <returns>The shards in the order of the index: by name.</returns>
    public static async ValueTask<IReadOnlyList<CheckpointFile>> OpenAllAsync(
        IWeightLocation location, ShardIndex index, string indexDisplay, HeaderBudget? budget, CancellationToken cancellationToken)
    {
        var files = new CheckpointFile?[index.Shards.Count];
        var failures = new WeightsException?[files.Length];
        bool failed = false;
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken };
        try
        {
            await Parallel.ForAsync(0, files.Length, options, OpenOneAsync).ConfigureAwait(false);

            // Shards are started in order and none is started after a failure, so the first failure is always the same one.
            if (failures.FirstOrDefault(static failure => failure is not null) is { } first)
            {
                ExceptionDispatchInfo.Throw(first);
            }
        }
        catch
        {
            await CloseAsync(files).ConfigureAwait(false);
            throw;
        }

        return files!;

        async ValueTask OpenOneAsync(int i, CancellationToken token)
        {
            if (Volatile.Read(ref failed))
            {
                return;
            }

            try
            {
                files[i] = await OpenAsync(location, index.Shards[i], budget, token).ConfigureAwait(false);
            }
            catch (WeightsException e)
            {
                failures[i] = e is WeightSourceException { IsNotFound: true } ? Missing(index, index.Shards[i], indexDisplay) : e;
                Volatile.Write(ref failed, true);
            }
        }
    }

    public static async ValueTask CloseAsync(IEnumerable<CheckpointFile?> files)
    {
        foreach (CheckpointFile? file in files)
        {
            if (file is not null)
            {
                await file.Source.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private static SafeTensorsFormatException Missing(ShardIndex index, string shard, string indexDisplay)
    {
        int tensors = index.WeightMap.Values.Count(name => name == shard);
        return new SafeTensorsFormatException(
            SafeTensorsErrorKind.MissingShard,
            indexDisplay,
            $"the index lists {tensors} tensors in {Printable.Name(shard)}, which does not exist. "
                + "If the download was incomplete, fetch the file into the folder of the index.");
    }
}
