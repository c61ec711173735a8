using System.IO.Hashing;
using TypedWeights.Downloads;
using TypedWeights.Files;
using TypedWeights.Memory;
using TypedWeights.Sources;

namespace TypedWeights.Caching;

/// <summary>
/// A remote file whose bytes come from its copy where that has them, and otherwise from the source and into the copy. A part is compared with
/// its hash when it is first used; a damaged part counts as missing.
/// </summary>
/// <param name="run">The load's part of the cache.</param>
/// <param name="identity">Which version of the file it is.</param>
/// <param name="copy">The copy to read from, and to write to if it is open for that; null for none. A read-only one is disposed with this.</param>
/// <param name="remote">The file at its source, if it has been opened; disposed with this one.</param>
/// <param name="open">Opens it there when it is needed; null if the load may not.</param>
internal class CachedSource(
    CacheRun run,
    SourceIdentity identity,
    CacheCopy? copy,
    IWeightSource? remote,
    Func<CancellationToken, ValueTask<IWeightSource>>? open = null) : IWeightSource, IRequestedSource
{
    private readonly SemaphoreSlim _opening = new(1, 1);
    private IWeightSource? _remote = remote;

    public string Display => _remote?.Display ?? identity.Source;

    public long Length => identity.Length;

    public string? Validator => identity.Validator;

    public string? Version => _remote?.Version;

    public virtual bool IsSequential => _remote is { IsSequential: true };

    public HttpRequestMessage? LastRequest => (_remote as IRequestedSource)?.LastRequest;

    public CacheRun Run => run;

    /// <summary>The parts of the copy; null if everything comes from the source, as from one that can only be read in order.</summary>
    public PartMap? Known => IsSequential ? null : copy?.Parts;

    /// <summary>The copy that bytes from the source are written to; null for none.</summary>
    public CacheCopy? Target => copy is { IsReadOnly: false } ? copy : null;

    /// <summary>The copy, of a file that has a whole one.</summary>
    protected CacheCopy Copy => copy!;

    public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult<IRangeReader>(new CacheReader(this, offset, length));
    }

    public async ValueTask DisposeAsync()
    {
        // A copy that is written is closed by the last load that writes it.
        if (copy is { IsReadOnly: true })
        {
            await copy.DisposeAsync().ConfigureAwait(false);
        }

        if (_remote is not null)
        {
            await _remote.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Reads bytes of a part.</summary>
    /// <param name="part">The part.</param>
    /// <param name="isSound">Whether its bytes may be used without a look at its hash.</param>
    /// <param name="destination">Where they go.</param>
    /// <param name="position">Where they begin in the file.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The number of bytes; 0 if the part was only checked: it is sound now, or missing.</returns>
    public async ValueTask<int> TryReadKnownAsync(
        FinishedPart part, bool isSound, Memory<byte> destination, long position, CancellationToken cancellationToken)
    {
        if (isSound && await TryReadAsync(destination, position, cancellationToken).ConfigureAwait(false) is > 0 and int known)
        {
            return known;
        }

        int count = 0;
        bool isDamaged = isSound;
        if (!isDamaged && destination.Length == part.Length)
        {
            // All of it is wanted: the bytes are hashed where they land.
            for (int read = -1; read != 0 && count < destination.Length; count += read)
            {
                read = await TryReadAsync(destination[count..], position + count, cancellationToken).ConfigureAwait(false);
            }

            isDamaged = count < destination.Length || XxHash128.HashToUInt128(destination.Span) != part.Hash;
        }
        else if (!isDamaged)
        {
            isDamaged = !await PartCheck.IsSoundAsync(TryReadAsync, part, static _ => { }, cancellationToken).ConfigureAwait(false);
        }

        Mark(part, !isDamaged);
        return isDamaged ? 0 : count;
    }

    /// <summary>The file at its source, which is opened when it is first needed.</summary>
    /// <param name="position">The byte that is needed.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">It cannot be opened, may not be, or is another version than the copy.</exception>
    public async ValueTask<IWeightSource> RemoteAsync(long position, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _remote) is { } known)
        {
            return known;
        }

        if (open is null)
        {
            throw new WeightSourceException(
                Display,
                $"byte {position} is missing or damaged in the cache, and this load sends no request; load it once with CacheMode.Check.");
        }

        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_remote is null)
            {
                IWeightSource opened = await open(cancellationToken).ConfigureAwait(false);
                if (opened.Length != identity.Length || opened.Validator != identity.Validator)
                {
                    await opened.DisposeAsync().ConfigureAwait(false);
                    throw new WeightSourceException(
                        Display, "its copy in the cache is damaged, and the file has changed at its source since; load it again.");
                }

                _remote = opened;
            }

            return _remote;
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Notes that a part is sound, or that it is damaged and so missing.</summary>
    protected void Mark(FinishedPart part, bool isSound)
    {
        if (isSound)
        {
            copy!.Parts.MarkSound(part);
        }
        else
        {
            copy!.Parts.Remove(part);
            run.NoteDamage(copy, part);
        }
    }

    /// <summary>Reads some bytes of the copy.</summary>
    /// <returns>The number of bytes; 0 at the end of the file, and if the disk cannot read them, which has damaged them.</returns>
    protected async ValueTask<int> TryReadAsync(Memory<byte> destination, long position, CancellationToken cancellationToken)
    {
        try
        {
            return await copy!.ReadAsync(destination, position, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}

/// <summary>A remote file that is whole in the cache: to a load it is a file of this machine.</summary>
internal sealed class CachedFile(
    CacheRun run, CacheCopy copy, IWeightSource? remote, Func<CancellationToken, ValueTask<IWeightSource>>? open)
    : CachedSource(run, copy.Identity, copy, remote, open), IMappableSource
{
    public override bool IsSequential => false;

    /// <summary>Checks every part of a copy whose bytes will not be read through the cache.</summary>
    /// <exception cref="WeightSourceException">The copy is damaged.</exception>
    public async ValueTask CheckAllAsync(CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount };
        await Parallel.ForEachAsync(Copy.Parts.Parts, options, async (part, token) => Mark(
            part, await PartCheck.IsSoundAsync(TryReadAsync, part, static _ => { }, token).ConfigureAwait(false))).ConfigureAwait(false);
        if (!Copy.IsWhole)
        {
            throw new WeightSourceException(
                Display, "its copy in the cache was damaged and is removed; load it once with another TensorStorage than Mapped.");
        }
    }

    public NativeRegion Map()
    {
        try
        {
            return Copy.Map();
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
