using Microsoft.Extensions.Logging;
using TorchSharp;
using TypedWeights.Checkpoints;
using TypedWeights.Devices.Cuda;
using TypedWeights.Sources;

namespace TypedWeights;

/// <summary>
/// Loads checkpoints: one for a process, as it holds the connection pools. Safe for use from many threads; loads may run side by side.
/// </summary>
public sealed class WeightLoader : IAsyncDisposable
{
    private static readonly Lazy<WeightLoader> Process = new(() => new WeightLoaderBuilder().Build());

    private readonly SourceRegistry _sources;
    private readonly CudaEngine _cuda;
    private readonly LoadLog _log;
    private readonly TimeProvider _time;
    private int _disposed;

    internal WeightLoader(SourceRegistry sources, CudaEngine cuda, ILoggerFactory loggers, TimeProvider time)
    {
        _sources = sources;
        _cuda = cuda;
        _log = new LoadLog(loggers.CreateLogger<WeightLoader>());
        sources.Context.Retrying = _log.Retrying;
        _time = time;
    }

    /// <summary>The process's own loader, made at first use: files and HTTP, no log. It is never disposed.</summary>
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
    /// Closes the connections and gives page-locked memory back. Loads over HTTP or onto a GPU that still run fail; a later load throws.
    /// Doing it twice is harmless.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await _sources.DisposeAsync().ConfigureAwait(false);
            _cuda.Dispose();
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
        try
        {
            var session = new LoadSession(_sources, _cuda, _log, _time, uri, options, title, progress);
            return await session.RunAsync(select, manifest, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested && e.CancellationToken != cancellationToken)
        {
            // What waits below has tokens of its own; who cancelled a load looks for theirs.
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
    }

    private static WeightUri ParseUri(string text) =>
        WeightUri.TryParse(text, out WeightUri? uri, out string error) ? uri! : throw new WeightsException(error);
}
