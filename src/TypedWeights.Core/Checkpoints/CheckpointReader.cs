using System.Globalization;
using TypedWeights.Format;
using TypedWeights.Memory;
using TypedWeights.Sources;

namespace TypedWeights.Checkpoints;

/// <summary>Opens a model: reads and checks the header of a single file, or an index and the header of each of its shards.</summary>
internal static class CheckpointReader
{
    /// <summary>Opens the files of a model and checks their headers. No payload is read.</summary>
    /// <param name="uri">The URI of the checkpoint.</param>
    /// <param name="location">
    /// Where it was found. An entry whose name ends with <c>.json</c> is an index, any other a safetensors file.
    /// </param>
    /// <param name="cancellationToken">Ends the reads; what was opened is closed.</param>
    /// <returns>The checkpoint, which owns the opened files.</returns>
    /// <exception cref="SafeTensorsFormatException">
    /// A file breaks a rule of the format, or the shards are not what the index says.
    /// </exception>
    /// <exception cref="WeightSourceException">A file cannot be opened or read.</exception>
    public static ValueTask<Checkpoint> ReadAsync(WeightUri uri, IWeightLocation location, CancellationToken cancellationToken = default) =>
        ReadAsync(uri, location, budget: null, cancellationToken);

    /// <summary>Opens the files of a model whose headers may take no more memory than a budget has.</summary>
    /// <exception cref="MemoryLimitException">They would take more; the header that is too much was not requested.</exception>
    internal static async ValueTask<Checkpoint> ReadAsync(
        WeightUri uri, IWeightLocation location, HeaderBudget? budget, CancellationToken cancellationToken)
    {
        if (location.EntryName.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return await ReadShardedAsync(uri, location, budget, cancellationToken).ConfigureAwait(false);
        }

        CheckpointFile file = await ShardOpener.OpenAsync(location, location.EntryName, budget, cancellationToken).ConfigureAwait(false);
        return new Checkpoint(uri, location.Revision, [file], []);
    }

    private static async ValueTask<Checkpoint> ReadShardedAsync(
        WeightUri uri, IWeightLocation location, HeaderBudget? budget, CancellationToken cancellationToken)
    {
        IWeightSource source = await location.OpenAsync(location.EntryName, cancellationToken).ConfigureAwait(false);
        try
        {
            return await ReadShardsAsync(uri, location, source, budget, cancellationToken).ConfigureAwait(false);
        }
        catch (SafeTensorsFormatException e) when (RepeatedSecrets.Remove(e, source) is var clean && clean != e)
        {
            throw clean;
        }
    }

    private static async ValueTask<Checkpoint> ReadShardsAsync(
        WeightUri uri, IWeightLocation location, IWeightSource source, HeaderBudget? budget, CancellationToken cancellationToken)
    {
        ShardIndex index;
        await using (source.ConfigureAwait(false))
        {
            if (source.Length > ShardIndex.LengthLimit)
            {
                throw ShardIndex.Error(source.Display, $"it has {source.Length} bytes, and the limit is {ShardIndex.LengthLimit}.");
            }

            index = await ReadIndexAsync(source, budget, cancellationToken).ConfigureAwait(false);
            RepeatedSecrets.ThrowIfShard(index.Shards, source);
        }

        IReadOnlyList<CheckpointFile> files =
            await ShardOpener.OpenAllAsync(location, index, source.Display, budget, cancellationToken).ConfigureAwait(false);
        try
        {
            var warnings = new List<string>();
            Dictionary<string, CheckpointTensor> tensors = ShardCheck.Run(index, files, source.Display, warnings);
            return new Checkpoint(uri, location.Revision, files, warnings, tensors) { Index = (location.EntryName, source.Version, index.Sha256) };
        }
        catch
        {
            await ShardOpener.CloseAsync(files).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Reads an index whose length has been compared with its limit.</summary>
    /// <exception cref="MemoryLimitException">It would take more memory than the budget has; it was not requested.</exception>
    internal static async ValueTask<ShardIndex> ReadIndexAsync(
        IWeightSource source, HeaderBudget? budget, CancellationToken cancellationToken)
    {
        string what = string.Create(CultureInfo.InvariantCulture, $"an index of {source.Length:N0} bytes");
        budget?.Take(source.Display, HeaderBudget.MemoryOfText(source.Length), what);
        try
        {
            byte[] bytes = await source.ReadAsync(0, (int)source.Length, cancellationToken).ConfigureAwait(false);
            return ShardIndex.Read(bytes, source.Display);
        }
        catch (OutOfMemoryException e)
        {
            throw HeaderBudget.NoMemory(source.Display, "an index", source.Length, e);
        }
    }
}
