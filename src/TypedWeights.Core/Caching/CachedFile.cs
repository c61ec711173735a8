using TypedWeights.Files;
using TypedWeights.Memory;
using TypedWeights.Sources;

namespace TypedWeights.Caching;

/// <summary>A remote file that is whole in the cache: to a load it is a file of this machine.</summary>
internal sealed class CachedFile : CachedSource, IMappableSource
{
    private readonly WholeCopy _copy;

    /// <param name="run">The load's part of the cache.</param>
    /// <param name="copy">The copy; disposed with this.</param>
    /// <param name="remote">The file at its source, where it has been opened.</param>
    /// <param name="ask">Opens it there where something is damaged; null where it may not be asked.</param>
    public CachedFile(CacheRun run, WholeCopy copy, IWeightSource? remote, Func<CancellationToken, ValueTask<IWeightSource>>? ask)
        : base(run, copy.Identity, copy, remote, ask, target: null) => _copy = copy;

    public override bool IsSequential => false;

    /// <summary>Checks every part, and mends what is damaged: for a copy whose bytes nobody will see pass by.</summary>
    public async ValueTask CheckAllAsync(CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount };
        await Parallel.ForEachAsync(_copy.Parts.Parts, options, CheckAsync).ConfigureAwait(false);
        if (_copy.Parts.Total != Length)
        {
            throw new WeightSourceException(
                Display, "its copy in the cache is damaged and could not be mended; load it with another TensorStorage.");
        }
    }

    public NativeRegion Map()
    {
        try
        {
            return _copy.Map();
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            throw new WeightSourceException(
                Display,
                $"its copy in the cache cannot be mapped ({e.Message.TrimEnd('.')}); load it with another TensorStorage than Mapped.",
                innerException: e);
        }
    }
}
