using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using TypedWeights.Caching;
using TypedWeights.Devices.Cuda;
using TypedWeights.Loading;
using TypedWeights.Opening;
using TypedWeights.Sources;

namespace TypedWeights;

/// <summary>
/// Loads checkpoints. A process needs only one loader, which holds the connection pools. Safe for use from many threads; several loads may run
/// at once.
/// </summary>
public sealed class WeightLoader : IAsyncDisposable, IDisposable
{
    private static readonly Lazy<WeightLoader> Process = new(() => new WeightLoaderBuilder().Build());

    private readonly SourceRegistry _sources;
    private readonly CudaEngine _cuda;
    private readonly LoadLog _log;
    private readonly TimeProvider _time;
    private readonly LocalCache? _cache;
    private readonly CancellationTokenSource _disposing = new();
    private readonly CancellationToken _disposal;
    private int _disposed;

    internal WeightLoader(SourceRegistry sources, CudaEngine cuda, ILoggerFactory loggers, TimeProvider time, LocalCache? cache)
    {
        (_sources, _cuda, _time, _cache) = (sources, cuda, time, cache);
        _log = new LoadLog(loggers.CreateLogger<WeightLoader>());
        _disposal = _disposing.Token;
        sources.Context.Retrying += _log.Retry;
        sources.Context.Noted += _log.Warn;
        cache?.Noted = _log.Cache;
    }

    /// <summary>
    /// The shared loader of the process, created at first use: files, HTTP and the stores of all referenced packages, no log. Disposing it does
    /// nothing, because other code of the process may use it.
    /// </summary>
    public static WeightLoader Default => Process.Value;

    /// <summary>Loads a typed model.</summary>
    /// <typeparam name="T">A class with <see cref="SafeTensorsModelAttribute"/>.</typeparam>
    /// <param name="options">Options; null for the defaults.</param>
    /// <param name="progress">Is called with the progress, at most ten times a second and at the end.</param>
    /// <param name="cancellationToken">Ends the load; all its memory has been freed when the task ends.</param>
    /// <returns>The model, complete. The caller disposes it.</returns>
    /// <exception cref="WeightMismatchException">The checkpoint is not what the class was generated for; every difference is listed.</exception>
    /// <exception cref="SafeTensorsFormatException">A file or index breaks a rule of the format.</exception>
    /// <exception cref="WeightSourceException">The source cannot be found, opened or read, or the loader was disposed.</exception>
    /// <exception cref="MemoryLimitException">The load needs more memory than its limit; nothing was allocated.</exception>
    /// <exception cref="WeightsException">
    /// The source is neither a path nor a URI, libtorch could not allocate a tensor, or tensors cannot be loaded onto the device.
    /// </exception>
    /// <exception cref="ArgumentException">An option is not valid, or the stream cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<T> LoadAsync<T>(
        LoadOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
        where T : class, IWeightModel<T> =>
        Bind<T>(await RunAsync(LoadRequest.OfModel<T>(null, options, progress), cancellationToken).ConfigureAwait(false));

    /// <summary>
    /// Loads a typed model from another source than the one that its class names: a path or URI of a file, an index, or a folder that holds one.
    /// </summary>
    /// <inheritdoc cref="LoadAsync{T}(LoadOptions, IProgress{LoadProgress}, CancellationToken)"/>
    // "new() { … }" as the first argument fits two overloads; the one with options must win.
    [OverloadResolutionPriority(-1)]
    public async Task<T> LoadAsync<T>(
        string source, LoadOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
        where T : class, IWeightModel<T> =>
        Bind<T>(await RunAsync(LoadRequest.OfModel<T>(LoadSource.Of(source), options, progress), cancellationToken).ConfigureAwait(false));

    /// <summary>Loads a typed model from a stream that holds one safetensors file from its position to its end.</summary>
    /// <remarks>
    /// The caller keeps the stream, and must not use it before the task has ended. A stream that cannot seek is read once, in order, and as a
    /// whole.
    /// </remarks>
    /// <inheritdoc cref="LoadAsync{T}(LoadOptions, IProgress{LoadProgress}, CancellationToken)"/>
    [OverloadResolutionPriority(-1)]
    public async Task<T> LoadAsync<T>(
        Stream stream,
        LoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default)
        where T : class, IWeightModel<T> =>
        Bind<T>(await RunAsync(LoadRequest.OfModel<T>(LoadSource.Of(stream), options, progress), cancellationToken).ConfigureAwait(false));

    /// <summary>Loads a typed model from one safetensors file in memory.</summary>
    /// <remarks>The bytes must not change until the task has ended; the tensors are copies of them.</remarks>
    /// <inheritdoc cref="LoadAsync{T}(LoadOptions, IProgress{LoadProgress}, CancellationToken)"/>
    [OverloadResolutionPriority(-1)]
    public async Task<T> LoadAsync<T>(
        ReadOnlyMemory<byte> bytes,
        LoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default)
        where T : class, IWeightModel<T> =>
        Bind<T>(await RunAsync(LoadRequest.OfModel<T>(LoadSource.Of(bytes), options, progress), cancellationToken).ConfigureAwait(false));

    /// <summary>
    /// Starts to load a typed model and returns it before its tensors are ready, when the headers have been checked and the memory is
    /// allocated. The tensors are read in the order in which the model uses them, so that its first layer computes while the last is read.
    /// </summary>
    /// <remarks>
    /// Each group of the model, and the model itself, has <c>WhenReadyAsync</c>; a tensor that is not ready throws when it is used. A failure
    /// ends every wait with the same error; tensors that are ready stay until the model is disposed. Disposing the model cancels the load and
    /// returns when it has ended. The token ends the load too, also after the model has been returned.
    /// <see cref="CommonLoadOptions.OrderOfUse"/> sets what is read first.
    /// </remarks>
    /// <returns>The model, whose tensors are not ready yet. The caller disposes it.</returns>
    /// <inheritdoc cref="LoadAsync{T}(LoadOptions, IProgress{LoadProgress}, CancellationToken)"/>
    public async Task<T> BeginLoadAsync<T>(
        LoadOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
        where T : class, IWeightModel<T> =>
        Bind<T>(await BeginAsync(LoadRequest.OfModel<T>(null, options, progress), cancellationToken).ConfigureAwait(false));

    /// <summary>
    /// Starts to load a typed model, from another source than the one that its class names, and returns it before its tensors are ready. The
    /// source is a path or URI of a file, an index, or a folder that holds one.
    /// </summary>
    /// <inheritdoc cref="BeginLoadAsync{T}(LoadOptions, IProgress{LoadProgress}, CancellationToken)"/>
    [OverloadResolutionPriority(-1)]
    public async Task<T> BeginLoadAsync<T>(
        string source, LoadOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
        where T : class, IWeightModel<T> =>
        Bind<T>(await BeginAsync(LoadRequest.OfModel<T>(LoadSource.Of(source), options, progress), cancellationToken).ConfigureAwait(false));

    /// <summary>
    /// Loads the tensors of a checkpoint by name, all of them or those that <see cref="TensorLoadOptions.Filter"/> selects: the state dict,
    /// for names that are not known when the program is built.
    /// </summary>
    /// <param name="source">A path or URI of a file, an index, or a folder that holds one.</param>
    /// <param name="options">Options; null for the defaults.</param>
    /// <param name="progress">Is called with the progress, at most ten times a second and at the end.</param>
    /// <param name="cancellationToken">Ends the load; all its memory has been freed when the task ends.</param>
    /// <returns>The tensors, complete. The caller disposes the set.</returns>
    /// <exception cref="SafeTensorsFormatException">A file or index breaks a rule of the format.</exception>
    /// <exception cref="WeightSourceException">The source cannot be found, opened or read, or the loader was disposed.</exception>
    /// <exception cref="MemoryLimitException">The load needs more memory than its limit; nothing was allocated.</exception>
    /// <exception cref="WeightsException">
    /// The source is neither a path nor a URI, libtorch could not allocate a tensor, tensors cannot be loaded onto the device, or
    /// <see cref="TensorLoadOptions.Filter"/> selects no tensor.
    /// </exception>
    /// <exception cref="ArgumentException">An option is not valid, or the stream cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<WeightSet> LoadTensorsAsync(
        string source,
        TensorLoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        RunAsync(LoadRequest.OfTensors(LoadSource.Of(source), options, progress), cancellationToken);

    /// <summary>Loads tensors by name from a stream that holds one safetensors file from its position to its end.</summary>
    /// <remarks>
    /// The caller keeps the stream, and must not use it before the task has ended. A stream that cannot seek is read once, in order, and as a
    /// whole.
    /// </remarks>
    /// <inheritdoc cref="LoadTensorsAsync(string, TensorLoadOptions, IProgress{LoadProgress}, CancellationToken)"/>
    public Task<WeightSet> LoadTensorsAsync(
        Stream stream,
        TensorLoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        RunAsync(LoadRequest.OfTensors(LoadSource.Of(stream), options, progress), cancellationToken);

    /// <summary>Loads tensors by name from one safetensors file in memory.</summary>
    /// <remarks>The bytes must not change until the task has ended; the tensors are copies of them.</remarks>
    /// <inheritdoc cref="LoadTensorsAsync(string, TensorLoadOptions, IProgress{LoadProgress}, CancellationToken)"/>
    public Task<WeightSet> LoadTensorsAsync(
        ReadOnlyMemory<byte> bytes,
        TensorLoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        RunAsync(LoadRequest.OfTensors(LoadSource.Of(bytes), options, progress), cancellationToken);

    /// <summary>
    /// Closes the connections and frees pinned memory. Loads that still run end with a <see cref="WeightSourceException"/>; a later load throws
    /// an <see cref="ObjectDisposedException"/>. The call waits until the local cache has written what the loads left for it
    /// (<see cref="WeightSet.Caching"/>). A second call does nothing, and neither does a call on <see cref="Default"/>, which stays open.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        bool isDefault = Process.IsValueCreated && ReferenceEquals(Process.Value, this);
        if (isDefault || Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        // First, because a closed connection pool stops only the next request: a response that is being received would be read to its end.
        await _disposing.CancelAsync().ConfigureAwait(false);
        _disposing.Dispose();
        await _sources.DisposeAsync().ConfigureAwait(false);
        _cuda.Dispose();
        if (_cache is not null)
        {
            await _cache.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Does what <see cref="DisposeAsync"/> does and returns when it is done. It may be called from a thread that has a synchronization context,
    /// such as a UI thread: nothing is posted to that context.
    /// </summary>
    public void Dispose() => Task.Run(async () => await DisposeAsync().ConfigureAwait(false)).GetAwaiter().GetResult();

    private async Task<WeightSet> BeginAsync(LoadRequest request, CancellationToken cancellationToken)
    {
        var early = new EarlyLoad(cancellationToken);
        return await early.WhenReturnedAsync(RunAsync(request with { Early = early }, early.Token)).ConfigureAwait(false);
    }

    private async Task<WeightSet> RunAsync(LoadRequest request, CancellationToken cancellationToken)
    {
        (WeightUri uri, CommonLoadOptions options) = (request.Uri, request.Options);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        bool isLocal = _sources.Resolve(uri).Scheme == "file";
        if (_cache is null && options.Cache == CacheMode.Offline && !isLocal)
        {
            throw new WeightsException(
                $"{uri.Display}: the option Cache is Offline, but this loader has no cache; set one with UseLocalCache or TYPEDWEIGHTS_CACHE.");
        }

        long start = _time.GetTimestamp();
        CacheRun? cache = _cache?.Begin(options.Cache, uri.Display, checksAll: options.Storage == TensorStorage.Mapped, isLocal);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _disposal);
        try
        {
            // The caller's thread may be a UI thread: neither the loading of libtorch, which takes 0.4 s, nor any other work may run on it.
            await TorchNative.EnsureLoadedAsync(ending.Token).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            var session = new LoadSession(_sources, _cuda, _log, request, cache);
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
            _log.Failed(uri.Display, SecondsSince(start), disposed.Message);
            throw disposed;
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            _log.Cancelled(uri.Display, SecondsSince(start));
            if (e.CancellationToken == cancellationToken)
            {
                throw;
            }

            // The exception has a linked token; the caller compares it with their own.
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (Exception e)
        {
            if (e is WeightMismatchException { Mismatches: var found } && found.Any(static mismatch => mismatch.Kind == MismatchKind.Digest))
            {
                cache?.Distrust();
            }

            _log.Failed(uri.Display, SecondsSince(start), e.Message);
            throw;
        }
        finally
        {
            // Also after a failure: the next load can use the bytes that were read.
            _ = cache?.FinishAsync();
        }
    }

    private double SecondsSince(long start) => Math.Round(_time.GetElapsedTime(start).TotalSeconds, 3);

    private bool IsDisposal(Exception e) =>
        _disposal.IsCancellationRequested && e is OperationCanceledException or ObjectDisposedException;

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
}
