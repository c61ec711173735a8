using System.IO.Hashing;
using TypedWeights.Downloads;
using TypedWeights.Files;
using TypedWeights.Sources;

namespace TypedWeights.Caching;

/// <summary>
/// A remote file whose bytes come from its copy where that has them, and else from the source and into the copy. A part is held against
/// its hash when it is first used; a damaged one is fetched again.
/// </summary>
internal class CachedSource : IWeightSource, IRequestedSource
{
    // Parts are no longer than a buffer of the writer; a journal that says otherwise is nobody's that need be mended.
    private const long LongestMend = 64L << 20;

    private readonly SemaphoreSlim _asking = new(1, 1);
    private readonly Func<CancellationToken, ValueTask<IWeightSource>>? _ask;
    private readonly Lazy<Task<PartialCopy?>> _target;
    private IWeightSource? _remote;

    /// <param name="run">The load's part of the cache.</param>
    /// <param name="identity">Which version of the file the copy is one of; the source need not have said yet.</param>
    /// <param name="copy">The copy to read from; null for none.</param>
    /// <param name="remote">The file at its source, where it has been opened; disposed with this one.</param>
    /// <param name="ask">Opens it there when it is needed; null where it may not be asked.</param>
    /// <param name="target">Gives the copy to write to, once the first bytes have come; null where nothing is written.</param>
    public CachedSource(
        CacheRun run,
        SourceIdentity identity,
        ICacheCopy? copy,
        IWeightSource? remote,
        Func<CancellationToken, ValueTask<IWeightSource>>? ask,
        Func<Task<PartialCopy?>>? target)
    {
        Run = run;
        Identity = identity;
        Copy = copy;
        IsKept = target is not null;
        _remote = remote;
        _ask = ask;
        _target = new Lazy<Task<PartialCopy?>>(target ?? (static () => Task.FromResult<PartialCopy?>(null)));
    }

    public string Display => _remote?.Display ?? Identity.Source;

    public long Length => Identity.Length;

    public string? Validator => Identity.Validator ?? _remote?.Validator;

    public string? Version => _remote?.Version;

    public virtual bool IsSequential => _remote is { IsSequential: true };

    public HttpRequestMessage? Asked => (_remote as IRequestedSource)?.Asked;

    public CacheRun Run { get; }

    /// <summary>What is there; null where everything comes from the source, as from one that can only be read in order.</summary>
    public PartMap? Known => IsSequential ? null : Copy?.Parts;

    /// <summary>Whether what comes from the source is written to a copy, as far as is known.</summary>
    public bool IsKept { get; }

    protected SourceIdentity Identity { get; }

    protected ICacheCopy? Copy { get; }

    public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult<IRangeReader>(new CacheReader(this, offset, length));
    }

    public ValueTask DisposeAsync()
    {
        // One that is written is closed by the last of those who write it.
        (Copy as IDisposable)?.Dispose();
        return _remote?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    /// <summary>The copy that bytes from the source go to; null for none.</summary>
    public ValueTask<PartialCopy?> TargetAsync() => new(_target.Value);

    /// <summary>Reads bytes of a sound part, at least one.</summary>
    /// <exception cref="WeightSourceException">They cannot be read.</exception>
    public async ValueTask<int> ReadKnownAsync(Memory<byte> destination, long position, CancellationToken cancellationToken)
    {
        int count = await TryReadAsync(destination, position, cancellationToken).ConfigureAwait(false);
        return count > 0
            ? count
            : throw new WeightSourceException(Display, $"its copy in the cache ended at byte {position}: it was cut while it was read.");
    }

    /// <summary>Reads a part that has not been looked at yet, with its hash.</summary>
    /// <returns>Whether it is sound, and the destination holds it.</returns>
    public async ValueTask<bool> TryReadPartAsync(FinishedPart part, Memory<byte> destination, CancellationToken cancellationToken)
    {
        for (int done = 0; done < destination.Length;)
        {
            int count = await TryReadAsync(destination[done..], part.Offset + done, cancellationToken).ConfigureAwait(false);
            if (count == 0)
            {
                return false;
            }

            done += count;
        }

        bool isSound = XxHash128.HashToUInt128(destination.Span) == part.Hash;
        if (isSound)
        {
            Known!.MarkSound(part);
        }

        return isSound;
    }

    /// <summary>Sees to it that a part is sound, or known as missing.</summary>
    public async ValueTask CheckAsync(FinishedPart part, CancellationToken cancellationToken)
    {
        if (await PartCheck.IsSoundAsync(TryReadAsync, part, static _ => { }, cancellationToken).ConfigureAwait(false))
        {
            Copy!.Parts.MarkSound(part);
        }
        else
        {
            await MendAsync(part, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Fetches a damaged part again.</summary>
    /// <exception cref="WeightSourceException">It cannot be had.</exception>
    public async ValueTask MendAsync(FinishedPart part, CancellationToken cancellationToken)
    {
        Run.Note($"{part.Length} bytes at {part.Offset} of the copy in the cache are damaged; they are fetched again.");
        if (part.Length > LongestMend)
        {
            Copy!.Parts.Remove(part);
            return;
        }

        IWeightSource remote = await RemoteAsync(part.Offset, cancellationToken).ConfigureAwait(false);
        byte[] bytes = await remote.ReadAsync(part.Offset, (int)part.Length, cancellationToken).ConfigureAwait(false);
        if (XxHash128.HashToUInt128(bytes) != part.Hash)
        {
            // It is the journal that is damaged, or the source gave the validator of another file.
            Copy!.Parts.Remove(part);
            (Copy as WholeCopy)?.Condemn();
            return;
        }

        try
        {
            await Copy!.MendAsync(part, bytes, cancellationToken).ConfigureAwait(false);
            Copy.Parts.MarkSound(part);
        }
        catch (Exception e) when (DiskFailure.Is(e))
        {
            Copy!.Parts.Remove(part);
        }
    }

    /// <summary>The file at its source, asked for the first time where it has not been needed yet.</summary>
    /// <param name="position">What is needed of it.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">It cannot be opened, may not be asked, or is another version than the copy.</exception>
    public async ValueTask<IWeightSource> RemoteAsync(long position, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _remote) is { } known)
        {
            return known;
        }

        if (_ask is null)
        {
            throw new WeightSourceException(
                Display,
                $"byte {position} is not in the cache, or damaged there, and this load may not ask the source; load it once with CacheMode.Check.");
        }

        await _asking.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return _remote ??= await AskAsync(_ask, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _asking.Release();
        }
    }

    private async ValueTask<IWeightSource> AskAsync(
        Func<CancellationToken, ValueTask<IWeightSource>> ask, CancellationToken cancellationToken)
    {
        IWeightSource remote = await ask(cancellationToken).ConfigureAwait(false);
        if (remote.Length == Identity.Length && remote.Validator == Identity.Validator)
        {
            return remote;
        }

        await remote.DisposeAsync().ConfigureAwait(false);
        (Copy as WholeCopy)?.Condemn();
        throw new WeightSourceException(
            Display, "its copy in the cache is damaged, and the file has changed at its source since; load it again.");
    }

    private async ValueTask<int> TryReadAsync(Memory<byte> destination, long position, CancellationToken cancellationToken)
    {
        try
        {
            return await Copy!.ReadAsync(destination, position, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A disk that cannot give the bytes has damaged them.
            return 0;
        }
    }
}
