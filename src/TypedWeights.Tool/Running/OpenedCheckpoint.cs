using TypedWeights.Checkpoints;
using TypedWeights.Sources;

namespace TypedWeights.Tool.Running;

/// <summary>A checkpoint and where it was found.</summary>
/// <param name="Checkpoint">The opened files and their headers; disposed with this.</param>
/// <param name="Location">Where.</param>
internal sealed record OpenedCheckpoint(Checkpoint Checkpoint, IWeightLocation Location) : IAsyncDisposable
{
    /// <summary>The single file, or the index.</summary>
    public string EntryName => Location.EntryName;

    /// <summary>Whether the entry is an index, of however many shards.</summary>
    public bool IsSharded => EntryName.EndsWith(".json", StringComparison.OrdinalIgnoreCase);

    /// <summary>Every tensor once, file by file in the order of its data.</summary>
    public IEnumerable<(CheckpointFile File, TensorInfo Tensor)> InDataOrder => Checkpoint.Files.SelectMany(
        (file, i) => file.Header.Tensors.Where(tensor => !IsSharded || Checkpoint.Tensors[tensor.Name].File == i)
            .Select(tensor => (file, tensor)));

    public ValueTask DisposeAsync() => Checkpoint.DisposeAsync();
}
