using Microsoft.Extensions.Logging;
using TorchSharp;
using TypedWeights.Caching;
using TypedWeights.Checkpoints;
using TypedWeights.Sources;

namespace TypedWeights;

/// <summary>
/// Loads checkpoints: one for a process, as it holds the connection pools. Safe for use from many threads; loads may run side by side.
/// </summary>
public sealed class WeightLoader : IAsyncDisposable
{
    private static readonly Lazy<WeightLoader> Process = new(() => new WeightLoaderBuilder().Build());

    private readonly SourceRegistry _sources;
    private readonly LoadLog _log;
    private readonly TimeProvider _time;
    private readonly LocalCache? _cache;
    private int _disposed;

    internal WeightLoader(SourceRegistry sources, ILoggerFactory loggers, TimeProvider time, LocalCache? cache)
    {
        _sources = sources;
        _log = new LoadLog(loggers.CreateLogger<WeightLoader>());
        sources.Context.Retrying = _log.Retrying;
        _time = time;
        _cache = cache;
        if (cache is not null)
        {
            cache.Noted = _log.Cache;
        }
    }

    /// <summary>The process's own loader, made at first use: files, HTTP and the stores of all referenced packages, no log. It is never disposed.</summary>
    public static WeightLoader Default => Process.Value;

    /// <summary>Loads a typed model.</summary>
    /// <typeparam name="T">A class with <see cref="SafeTensorsModelAttribute"/>.</typeparam>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Is told how far the load has come, at most ten times a second and at the end.</param>
    /// <param name="cancellationToken">Ends the load; everything it had allocated is freed when the task has ended.</param>
    /// <returns>The model, complete. The caller disposes it.</returns>
    /// <exception cref="WeightMismatchException">The checkpoint is not what the class was generated for; every difference is listed.</exception>
    /// <exception cref="SafeTensorsFormatException">A file or index breaks a rule of the format.</exception>
    /// <exception cref="WeightSourceException">The source cannot be found, opened or read.</exception>
    /// <exception cref="MemoryLimitException">The load needs more memory than it was given; nothing was allocated.</exception>
    /// <exception cref="WeightsException">libtorch could not hold a tensor, or the device is not served.</exception>
    /// <exception cref="ArgumentException"><see cref="LoadOptions.Filter"/> is set.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<T> LoadAsync<T>(
        LoadOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
        where T : class, IWeightModel<T>
    {
        options ??= new LoadOptions();
        if (options.Filter is not null)
        {
            throw new ArgumentException(
                $"{typeof(T).Name} has all its tensors, so a typed load takes no Filter; LoadTensorsAsync loads some of them by name.",
                nameof(options));
        }

        WeightManifest manifest = T.Manifest;
        if (options.Verify == Verification.Digests && !manifest.HasDigests)
        {
            throw new WeightsException(
                $"{typeof(T).Name} cannot be checked against digests, as its snapshot has none: take it again with "
                    + $"typedweights snapshot {manifest.Source} --digest, and build.");
        }

        WeightSet weights = await LoadAsync(
            ParseUri(options.Source ?? manifest.Source),
            checkpoint => ManifestCheck.Run(manifest, checkpoint, options.Unexpected),
            manifest,
            options,
            typeof(T).Name,
            progress,
            cancellationToken).ConfigureAwait(false);
        try
        {
            return T.Bind(weights);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Loads the tensors of a checkpoint by name, all of them or those that <see cref="LoadOptions.Filter"/> takes: the state dict, for
    /// names that are not known when the program is built.
    /// </summary>
    /// <param name="uri">A path or URI of a file, an index, or a folder that holds one.</param>
    /// <param name="options">How; null for the defaults. <see cref="LoadOptions.Source"/>, where set, stands in for <paramref name="uri"/>.</param>
    /// <param name="progress">Is told how far the load has come, at most ten times a second and at the end.</param>
    /// <param name="cancellationToken">Ends the load; everything it had allocated is freed when the task has ended.</param>
    /// <returns>The tensors, complete. The caller disposes the set.</returns>
    /// <exception cref="SafeTensorsFormatException">A file or index breaks a rule of the format.</exception>
    /// <exception cref="WeightSourceException">The source cannot be found, opened or read.</exception>
    /// <exception cref="MemoryLimitException">The load needs more memory than it was given; nothing was allocated.</exception>
    /// <exception cref="WeightsException">
    /// libtorch could not hold a tensor, the device is not served, or <see cref="LoadOptions.Filter"/> takes no tensor at all.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<WeightSet> LoadTensorsAsync(
        string uri, LoadOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(uri);
        options ??= new LoadOptions();
        if (options.Verify == Verification.Digests)
        {
            throw new ArgumentException(
                "Digests are those of a class's snapshot, so an untyped load takes no Verify; LoadAsync<T> checks them.", nameof(options));
        }

        WeightUri source = ParseUri(options.Source ?? uri);
        return LoadAsync(
            source,
            checkpoint => options.Filter is { } filter ? TensorSelection.Matching(checkpoint, filter) : TensorSelection.All(checkpoint),
            manifest: null,
            options,
            source.Display,
            progress,
            cancellationToken);
    }

    /// <summary>
    /// Closes the connections. Loads over HTTP that still run fail; a later load throws. What loads left to be written to the local cache is
    /// waited for (<see cref="WeightSet.Caching"/>). Doing it twice is harmless.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _sources.DisposeAsync().ConfigureAwait(false);
        if (_cache is not null)
        {
            await _cache.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<WeightSet> LoadAsync(
        WeightUri uri,
        Func<Checkpoint, TensorSelection> select,
        WeightManifest? manifest,
        LoadOptions options,
        string title,
        IProgress<LoadProgress>? progress,
        CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        TorchNative.EnsureLoaded();
        CacheRun? cache = _cache?.Begin(options.Cache, uri.Display, checksAll: options.Storage == TensorStorage.Mapped);
        try
        {
            var session = new LoadSession(_sources, _log, _time, uri, options, title, progress, cache);
            WeightSet weights = await session.RunAsync(select, manifest, cancellationToken).ConfigureAwait(false);
            if (cache is not null)
            {
                weights.Caching = cache.FinishAsync();
            }

            return weights;
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested && e.CancellationToken != cancellationToken)
        {
            // What waits below has tokens of its own; who cancelled a load looks for theirs.
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        finally
        {
            // Also after a failure: what came is there for the next load.
            _ = cache?.FinishAsync();
        }
    }

    private static WeightUri ParseUri(string text) =>
        WeightUri.TryParse(text, out WeightUri? uri, out string error) ? uri! : throw new WeightsException(error);
}
