using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using TypedWeights.Caching;
using TypedWeights.Checkpoints;
using TypedWeights.Devices.Cuda;
using TypedWeights.Errors;
using TypedWeights.Loading.Early;
using TypedWeights.Loading;
using TypedWeights.Opening;
using TypedWeights.Sources;

namespace TypedWeights;

/// <summary>
/// Loads checkpoints: one for a process, as it holds the connection pools. Safe for use from many threads; loads may run side by side.
/// </summary>
public sealed class WeightLoader : IAsyncDisposable, IDisposable
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
        sources.Context.Retrying = log.Retrying;
        sources.Context.Noted = log.Warn;
        _cache = cache;
        _disposal = _disposing.Token;
        if (cache is not null)
        {
            cache.Noted = log.Cache;
        }
    }

    /// <summary>
    /// The process's own loader, made at first use: files, HTTP and the stores of all referenced packages, no log. It is never disposed.
    /// </summary>
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
    /// <exception cref="ArgumentException">An option makes no sense.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<T> LoadAsync<T>(
        LoadOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
        where T : class, IWeightModel<T>
    {
        WeightSet weights = await LoadAsync<T>(source: null, options, progress, early: null, cancellationToken).ConfigureAwait(false);
        return Bind<T>(weights);
    }

    /// <summary>Loads a typed model from another source than the one that its class names.</summary>
    /// <typeparam name="T">A class with <see cref="SafeTensorsModelAttribute"/>.</typeparam>
    /// <param name="source">A path or URI of a file, an index, or a folder that holds one.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Is told how far the load has come, at most ten times a second and at the end.</param>
    /// <param name="cancellationToken">Ends the load; everything it had allocated is freed when the task has ended.</param>
    /// <returns>The model, complete. The caller disposes it.</returns>
    /// <exception cref="WeightMismatchException">The checkpoint is not what the class was generated for; every difference is listed.</exception>
    /// <exception cref="SafeTensorsFormatException">A file or index breaks a rule of the format.</exception>
    /// <exception cref="WeightSourceException">The source cannot be found, opened or read.</exception>
    /// <exception cref="MemoryLimitException">The load needs more memory than it was given; nothing was allocated.</exception>
    /// <exception cref="WeightsException">
    /// The text is no path or URI, libtorch could not hold a tensor, or tensors cannot be loaded onto the device.
    /// </exception>
    /// <exception cref="ArgumentException">An option makes no sense.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    // Two overloads take "new() { … }" as their first argument; the one for options is meant.
    [OverloadResolutionPriority(-1)]
    public async Task<T> LoadAsync<T>(
        string source, LoadOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
        where T : class, IWeightModel<T>
    {
        WeightSet weights = await LoadAsync<T>(ParseUri(source), options, progress, early: null, cancellationToken).ConfigureAwait(false);
        return Bind<T>(weights);
    }

    /// <summary>
    /// Begins to load a typed model and returns it at once: when the headers have been checked and room has been made, before the tensors
    /// have come. They come in the order in which the model uses them, so that its first layer computes while the last is on the wire.
    /// </summary>
    /// <remarks>
    /// Each group of the model, and the model itself, has <c>WhenReadyAsync</c>; a tensor that has not come throws when it is read. A failure
    /// ends every wait that has not ended yet, with the same error; what has come stays until the model is disposed. Disposing the model
    /// cancels the load and returns when it has ended.
    /// </remarks>
    /// <typeparam name="T">A class with <see cref="SafeTensorsModelAttribute"/>.</typeparam>
    /// <param name="options">How; null for the defaults. <see cref="CommonLoadOptions.OrderOfUse"/> says what comes first.</param>
    /// <param name="progress">Is told how far the load has come, at most ten times a second and at the end.</param>
    /// <param name="cancellationToken">Ends the load, also after the model has been returned.</param>
    /// <returns>The model, whose tensors are still to come. The caller disposes it.</returns>
    /// <exception cref="WeightMismatchException">The checkpoint is not what the class was generated for; every difference is listed.</exception>
    /// <exception cref="SafeTensorsFormatException">A file or index breaks a rule of the format.</exception>
    /// <exception cref="WeightSourceException">The source cannot be found, opened or read.</exception>
    /// <exception cref="MemoryLimitException">The load needs more memory than it was given; nothing was allocated.</exception>
    /// <exception cref="WeightsException">libtorch could not hold a tensor, or the device is not served.</exception>
    /// <exception cref="ArgumentException">An option makes no sense.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<T> BeginLoadAsync<T>(
        LoadOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
        where T : class, IWeightModel<T> =>
        await BeginLoadAsync<T>(source: null, options, progress, cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Begins to load a typed model, from another source than the one that its class names, and returns the model before its tensors have
    /// come.
    /// </summary>
    /// <remarks><inheritdoc cref="BeginLoadAsync{T}(LoadOptions, IProgress{LoadProgress}, CancellationToken)" path="/remarks/node()"/></remarks>
    /// <typeparam name="T">A class with <see cref="SafeTensorsModelAttribute"/>.</typeparam>
    /// <param name="source">A path or URI of a file, an index, or a folder that holds one.</param>
    /// <param name="options">How; null for the defaults. <see cref="CommonLoadOptions.OrderOfUse"/> says what comes first.</param>
    /// <param name="progress">Is told how far the load has come, at most ten times a second and at the end.</param>
    /// <param name="cancellationToken">Ends the load, also after the model has been returned.</param>
    /// <returns>The model, whose tensors are still to come. The caller disposes it.</returns>
    /// <exception cref="WeightMismatchException">The checkpoint is not what the class was generated for; every difference is listed.</exception>
    /// <exception cref="SafeTensorsFormatException">A file or index breaks a rule of the format.</exception>
    /// <exception cref="WeightSourceException">The source cannot be found, opened or read.</exception>
    /// <exception cref="MemoryLimitException">The load needs more memory than it was given; nothing was allocated.</exception>
    /// <exception cref="WeightsException">
    /// The text is no path or URI, libtorch could not hold a tensor, or tensors cannot be loaded onto the device.
    /// </exception>
    /// <exception cref="ArgumentException">An option makes no sense.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    [OverloadResolutionPriority(-1)]
    public async Task<T> BeginLoadAsync<T>(
        string source, LoadOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
        where T : class, IWeightModel<T> =>
        await BeginLoadAsync<T>(ParseUri(source), options, progress, cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Loads the tensors of a checkpoint by name, all of them or those that <see cref="TensorLoadOptions.Filter"/> takes: the state dict, for
    /// names that are not known when the program is built.
    /// </summary>
    /// <param name="source">A path or URI of a file, an index, or a folder that holds one.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Is told how far the load has come, at most ten times a second and at the end.</param>
    /// <param name="cancellationToken">Ends the load; everything it had allocated is freed when the task has ended.</param>
    /// <returns>The tensors, complete. The caller disposes the set.</returns>
    /// <exception cref="SafeTensorsFormatException">A file or index breaks a rule of the format.</exception>
    /// <exception cref="WeightSourceException">The source cannot be found, opened or read.</exception>
    /// <exception cref="MemoryLimitException">The load needs more memory than it was given; nothing was allocated.</exception>
    /// <exception cref="WeightsException">
    /// libtorch could not hold a tensor, the device is not served, or <see cref="TensorLoadOptions.Filter"/> takes no tensor at all.
    /// </exception>
    /// <exception cref="ArgumentException">An option makes no sense.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<WeightSet> LoadTensorsAsync(
        string source, TensorLoadOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        WeightUri uri = ParseUri(source);
        options ??= new TensorLoadOptions();
        options.Validate();
        var request = new LoadRequest(
            uri,
            options,
            uri.Display,
            checkpoint => options.Filter is { } filter ? TensorSelection.Matching(checkpoint, filter) : TensorSelection.All(checkpoint))
        {
            Progress = progress,
        };
        return RunAsync(request, cancellationToken);
    }

    /// <summary>
    /// Closes the connections and gives page-locked memory back. Loads that still run end with a <see cref="WeightSourceException"/>; a later
    /// load throws. What loads left to be written to the local cache is waited for (<see cref="WeightSet.Caching"/>). Doing it twice is
    /// harmless.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
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

    private async Task<T> BeginLoadAsync<T>(
        WeightUri? source, LoadOptions? options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
        where T : class, IWeightModel<T>
    {
        var early = new EarlyLoad(cancellationToken);
        Task<WeightSet> load = LoadAsync<T>(source, options, progress, early, early.Token);
        return Bind<T>(await early.WhenGivenAsync(load).ConfigureAwait(false));
    }

    // Without a source: the one that the class names, at the revision that its snapshot recorded.
    private async Task<WeightSet> LoadAsync<T>(
        WeightUri? source, LoadOptions? options, IProgress<LoadProgress>? progress, EarlyLoad? early, CancellationToken cancellationToken)
        where T : class, IWeightModel<T>
    {
        options ??= new LoadOptions();
        options.Validate();
        options = options with { Placement = options.Placement ?? T.Placement };
        WeightManifest manifest = T.Manifest;
        if (options.Verify == Verification.Digests && manifest.Tensors.Any(static tensor => tensor.Sha256 is null))
        {
            string lack = manifest.HasDigests
                ? "none of " + Printable.Name(manifest.Tensors.First(static tensor => tensor.Sha256 is null).Name)
                : "none";
            throw new WeightsException(
                $"{typeof(T).Name} cannot be checked against digests, as its snapshot has {lack}: take it again with "
                    + $"typedweights snapshot {manifest.Source} --class {typeof(T).Name} --digest, and build.");
        }

        var request = new LoadRequest(
            source ?? ParseUri(manifest.Source),
            options,
            typeof(T).Name,
            checkpoint => ManifestCheck.Run(manifest, checkpoint, options.Unexpected))
        {
            Manifest = manifest,
            Pins = source is null && options.Revision == WeightRevision.Recorded ? WeightPins.Of(manifest) : WeightPins.None,
            Progress = progress,
            Early = early,
        };
        return await RunAsync(request, cancellationToken).ConfigureAwait(false);
    }

    private static T Bind<T>(WeightSet weights)
        where T : class, IWeightModel<T>
    {
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
            WeightSet weights = await new LoadSession(_parts, request, cache).RunAsync(ending.Token).ConfigureAwait(false);
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

    private static WeightUri ParseUri(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return WeightUri.TryParse(source, out WeightUri? uri, out string error) ? uri! : throw new WeightsException(error);
    }
}
