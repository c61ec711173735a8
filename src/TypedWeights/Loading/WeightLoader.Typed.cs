using System.Runtime.CompilerServices;
using TypedWeights.Checkpoints;
using TypedWeights.Errors;
using TypedWeights.Loading;
using TypedWeights.Loading.Early;
using TypedWeights.Sources;

namespace TypedWeights;

/// <content>Loads of typed models.</content>
public sealed partial class WeightLoader
{
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
        where T : class, IWeightModel<T> =>
        await LoadModelAsync<T>(source: null, options, progress, cancellationToken).ConfigureAwait(false);

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
        where T : class, IWeightModel<T> =>
        await LoadModelAsync<T>(LoadSource.Of(source), options, progress, cancellationToken).ConfigureAwait(false);

    /// <summary>Loads a typed model from a file that a stream holds.</summary>
    /// <typeparam name="T">A class with <see cref="SafeTensorsModelAttribute"/>.</typeparam>
    /// <param name="stream">
    /// A stream that holds one safetensors file from its position to its end. It stays the caller's, and nobody else may use it until the task
    /// has ended. A stream that cannot seek is read once, in order, and as a whole.
    /// </param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Is told how far the load has come, at most ten times a second and at the end.</param>
    /// <param name="cancellationToken">Ends the load; everything it had allocated is freed when the task has ended.</param>
    /// <returns>The model, complete. The caller disposes it.</returns>
    /// <exception cref="WeightMismatchException">The checkpoint is not what the class was generated for; every difference is listed.</exception>
    /// <exception cref="SafeTensorsFormatException">The file breaks a rule of the format.</exception>
    /// <exception cref="WeightSourceException">The bytes cannot be read.</exception>
    /// <exception cref="MemoryLimitException">The load needs more memory than it was given; nothing was allocated.</exception>
    /// <exception cref="WeightsException">
    /// libtorch could not hold a tensor, or tensors cannot be loaded onto the device.
    /// </exception>
    /// <exception cref="ArgumentException">An option makes no sense, or the stream cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    [OverloadResolutionPriority(-1)]
    public async Task<T> LoadAsync<T>(
        Stream stream,
        LoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default)
        where T : class, IWeightModel<T> =>
        await LoadModelAsync<T>(LoadSource.Of(stream), options, progress, cancellationToken).ConfigureAwait(false);

    /// <summary>Loads a typed model from a file in memory.</summary>
    /// <typeparam name="T">A class with <see cref="SafeTensorsModelAttribute"/>.</typeparam>
    /// <param name="bytes">One safetensors file. The bytes must not change until the task has ended; the tensors are copies of them.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Is told how far the load has come, at most ten times a second and at the end.</param>
    /// <param name="cancellationToken">Ends the load; everything it had allocated is freed when the task has ended.</param>
    /// <returns>The model, complete. The caller disposes it.</returns>
    /// <exception cref="WeightMismatchException">The checkpoint is not what the class was generated for; every difference is listed.</exception>
    /// <exception cref="SafeTensorsFormatException">The file breaks a rule of the format.</exception>
    /// <exception cref="WeightSourceException">The loader was disposed, or the options ask for what only a file of this machine can do.</exception>
    /// <exception cref="MemoryLimitException">The load needs more memory than it was given; nothing was allocated.</exception>
    /// <exception cref="WeightsException">
    /// libtorch could not hold a tensor, or tensors cannot be loaded onto the device.
    /// </exception>
    /// <exception cref="ArgumentException">An option makes no sense.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    [OverloadResolutionPriority(-1)]
    public async Task<T> LoadAsync<T>(
        ReadOnlyMemory<byte> bytes,
        LoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default)
        where T : class, IWeightModel<T> =>
        await LoadModelAsync<T>(LoadSource.Of(bytes), options, progress, cancellationToken).ConfigureAwait(false);

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
        await BeginLoadAsync<T>(LoadSource.Of(source), options, progress, cancellationToken).ConfigureAwait(false);

    private async Task<T> LoadModelAsync<T>(
        LoadSource? source, LoadOptions? options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
        where T : class, IWeightModel<T> =>
        Bind<T>(await LoadAsync<T>(source, options, progress, early: null, cancellationToken).ConfigureAwait(false));

    private async Task<T> BeginLoadAsync<T>(
        LoadSource? source, LoadOptions? options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
        where T : class, IWeightModel<T>
    {
        var early = new EarlyLoad(cancellationToken);
        Task<WeightSet> load = LoadAsync<T>(source, options, progress, early, early.Token);
        return Bind<T>(await early.WhenGivenAsync(load).ConfigureAwait(false));
    }

    // Without a source: the one that the class names, at the revision that its snapshot recorded.
    private async Task<WeightSet> LoadAsync<T>(
        LoadSource? source, LoadOptions? options, IProgress<LoadProgress>? progress, EarlyLoad? early, CancellationToken cancellationToken)
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
            source ?? LoadSource.Of(manifest.Source),
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
}
