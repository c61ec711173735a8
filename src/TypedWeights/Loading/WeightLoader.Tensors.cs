using TypedWeights.Checkpoints;
using TypedWeights.Loading;

namespace TypedWeights;

/// <content>Loads of tensors by name.</content>
public sealed partial class WeightLoader
{
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
        string source,
        TensorLoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        LoadTensorsAsync(LoadSource.Of(source), options, progress, cancellationToken);

    /// <summary>Loads the tensors of a file that a stream holds by name.</summary>
    /// <param name="stream">
    /// A stream that holds one safetensors file from its position to its end. It stays the caller's, and nobody else may use it until the task
    /// has ended. A stream that cannot seek is read once, in order, and as a whole.
    /// </param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Is told how far the load has come, at most ten times a second and at the end.</param>
    /// <param name="cancellationToken">Ends the load; everything it had allocated is freed when the task has ended.</param>
    /// <returns>The tensors, complete. The caller disposes the set.</returns>
    /// <exception cref="SafeTensorsFormatException">The file breaks a rule of the format.</exception>
    /// <exception cref="WeightSourceException">The bytes cannot be read.</exception>
    /// <exception cref="MemoryLimitException">The load needs more memory than it was given; nothing was allocated.</exception>
    /// <exception cref="WeightsException">
    /// libtorch could not hold a tensor, the device is not served, or <see cref="TensorLoadOptions.Filter"/> takes no tensor at all.
    /// </exception>
    /// <exception cref="ArgumentException">An option makes no sense, or the stream cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<WeightSet> LoadTensorsAsync(
        Stream stream,
        TensorLoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        LoadTensorsAsync(LoadSource.Of(stream), options, progress, cancellationToken);

    /// <summary>Loads the tensors of a file in memory by name.</summary>
    /// <param name="bytes">One safetensors file. The bytes must not change until the task has ended; the tensors are copies of them.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Is told how far the load has come, at most ten times a second and at the end.</param>
    /// <param name="cancellationToken">Ends the load; everything it had allocated is freed when the task has ended.</param>
    /// <returns>The tensors, complete. The caller disposes the set.</returns>
    /// <exception cref="SafeTensorsFormatException">The file breaks a rule of the format.</exception>
    /// <exception cref="WeightSourceException">The loader was disposed, or the options ask for what only a file of this machine can do.</exception>
    /// <exception cref="MemoryLimitException">The load needs more memory than it was given; nothing was allocated.</exception>
    /// <exception cref="WeightsException">
    /// libtorch could not hold a tensor, the device is not served, or <see cref="TensorLoadOptions.Filter"/> takes no tensor at all.
    /// </exception>
    /// <exception cref="ArgumentException">An option makes no sense.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task<WeightSet> LoadTensorsAsync(
        ReadOnlyMemory<byte> bytes,
        TensorLoadOptions? options = null,
        IProgress<LoadProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        LoadTensorsAsync(LoadSource.Of(bytes), options, progress, cancellationToken);

    private Task<WeightSet> LoadTensorsAsync(
        LoadSource source, TensorLoadOptions? options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        options ??= new TensorLoadOptions();
        options.Validate();
        var request = new LoadRequest(
            source,
            options,
            source.Uri.Display,
            checkpoint => options.Filter is { } filter ? TensorSelection.Matching(checkpoint, filter) : TensorSelection.All(checkpoint))
        {
            Progress = progress,
        };
        return RunAsync(request, cancellationToken);
    }
}
