using Microsoft.Extensions.Logging;
using TypedWeights.Caching;
using TypedWeights.Devices.Cuda;
using TypedWeights.Loading;
using TypedWeights.Opening;
using TypedWeights.Sources;

namespace TypedWeights;

/// <summary>
/// Loads checkpoints: one for a process, as it holds the connection pools. Safe for use from many threads; loads may run side by side.
/// </summary>
public sealed partial class WeightLoader : IAsyncDisposable, IDisposable
{
    private static readonly Lazy<WeightLoader> Process = new(() => new WeightLoaderBuilder().Build());

    private readonly LoaderParts _parts;
    private readonly LocalCache? _cache;
    private readonly CancellationTokenSource _disposing = new();
    private readonly CancellationToken _disposal;
    private int _disposed;

    internal WeightLoader(SourceRegistry sources, CudaEngine cuda, ILoggerFactory loggers, TimeProvider time, LocalCache? cache)
    {
        var log = new LoadLog(loggers.CreateLogger<WeightLoader>());
        _parts = new LoaderParts(sources, cuda, log, time);
        sources.Context.Retrying += log.Retrying;
        sources.Context.Noted += log.Warn;
        _cache = cache;
        _disposal = _disposing.Token;
        if (cache is not null)
        {
            cache.Noted = log.Cache;
        }
    }

    /// <summary>
    /// The process's own loader, made at first use: files, HTTP and the stores of all referenced packages, no log. Disposing it does
    /// nothing: other code of the process may load with it.
    /// </summary>
    public static WeightLoader Default => Process.Value;

    /// <summary>
    /// Closes the connections and gives page-locked memory back. Loads that still run end with a <see cref="WeightSourceException"/>; a later
    /// load throws. What loads left to be written to the local cache is waited for (<see cref="WeightSet.Caching"/>). Doing it twice is
    /// harmless, and so is doing it to <see cref="Default"/>, which stays open.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        bool isDefault = Process.IsValueCreated && ReferenceEquals(Process.Value, this);
        if (isDefault || Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        // An answer that is under way would be read on: only the next request would find the connections closed.
        await _disposing.CancelAsync().ConfigureAwait(false);
        _disposing.Dispose();
        await _parts.Sources.DisposeAsync().ConfigureAwait(false);
        _parts.Cuda.Dispose();
        if (_cache is not null)
        {
            await _cache.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Does what <see cref="DisposeAsync"/> does and returns when it is done. It may be called from a thread that has a synchronization
    /// context of its own, such as a UI thread: nothing comes back to it.
    /// </summary>
    public void Dispose() => Task.Run(async () => await DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();

    private async Task<WeightSet> RunAsync(LoadRequest request, CancellationToken cancellationToken)
    {
        (WeightUri uri, CommonLoadOptions options) = (request.Uri, request.Options);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        bool isLocal = _parts.Sources.Resolve(uri).Scheme == "file";
        if (_cache is null && options.Cache == CacheMode.Offline && !isLocal)
        {
            throw new WeightsException(
                $"{uri.Display}: the option Cache is Offline, and this loader has no cache; see UseLocalCache and TYPEDWEIGHTS_CACHE.");
        }

        long start = _parts.Time.GetTimestamp();
        CacheRun? cache = _cache?.Begin(options.Cache, uri.Display, checksAll: options.Storage == TensorStorage.Mapped, isLocal);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposal);
        try
        {
            // The caller's thread may be the one that draws: it neither loads libtorch, which takes 0.4 s, nor does what comes before the
            // first wait.
            await TorchNative.EnsureLoadedAsync(ending.Token).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            var session = new LoadSession(_parts, request, cache);
            WeightSet weights = await session.RunAsync(ending.Token).ConfigureAwait(false);
            if (cache is not null)
            {
                weights.Caching = cache.FinishAsync();
            }

            return weights;
        }
        catch (Exception e) when (IsDisposal(e) && !cancellationToken.IsCancellationRequested)
        {
            WeightSourceException disposed = WeightSourceException.OfDisposedLoader(uri.Display, e);
            _parts.Log.Failed(uri.Display, _parts.Time.GetElapsedTime(start), disposed);
            throw disposed;
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            _parts.Log.Cancelled(uri.Display, _parts.Time.GetElapsedTime(start));
            if (e.CancellationToken == cancellationToken)
            {
                throw;
            }

            // What waits below has tokens of its own; who cancelled a load looks for theirs.
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (Exception e)
        {
            if (e is WeightMismatchException { Mismatches: var found } && found.Any(static mismatch => mismatch.Kind == MismatchKind.Digest))
            {
                cache?.Distrust();
            }

            _parts.Log.Failed(uri.Display, _parts.Time.GetElapsedTime(start), e);
            throw;
        }
        finally
        {
            // Also after a failure: what came is there for the next load.
            _ = cache?.FinishAsync();
        }
    }

    private bool IsDisposal(Exception e) =>
        _disposal.IsCancellationRequested && e is OperationCanceledException or ObjectDisposedException;
}
