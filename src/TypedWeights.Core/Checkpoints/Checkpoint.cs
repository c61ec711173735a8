using TypedWeights.Snapshots;
using TypedWeights.Sources;

namespace TypedWeights.Checkpoints;

/// <summary>
/// The opened files of one model with their checked headers: a single file, or the shards of an index. Owns its sources.
/// </summary>
internal sealed class Checkpoint : IAsyncDisposable
{
    internal Checkpoint(
        WeightUri uri,
        string? revision,
        IReadOnlyList<CheckpointFile> files,
        IReadOnlyList<string> warnings,
        IReadOnlyDictionary<string, CheckpointTensor>? tensors = null)
    {
        Uri = uri;
        Revision = revision;
        Files = files;
        Tensors = tensors ?? TensorsOf(files);
        Warnings = warnings;
        Metadata = MergeMetadata(files);
        Ties = TiedNames.Of(Metadata, Tensors.ContainsKey);
    }

    /// <summary>The URI that was opened.</summary>
    public WeightUri Uri { get; }

    /// <summary>The resolved revision, or null where the store has none.</summary>
    public string? Revision { get; }

    /// <summary>The index that named the files, the store's version of it and the SHA-256 of its text; null for a single file.</summary>
    internal (string Name, string? Version, string Sha256)? Index { get; init; }

    /// <summary>The files in ordinal order of their names.</summary>
    public IReadOnlyList<CheckpointFile> Files { get; }

    /// <summary>Every tensor by name.</summary>
    public IReadOnlyDictionary<string, CheckpointTensor> Tensors { get; }

    /// <summary>The files' metadata as one; where two files differ, the first file's value counts.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>
    /// Names that the metadata records as copies of a tensor (<c>"model.embed_tokens.weight": "lm_head.weight"</c>), each with the
    /// name of that tensor.
    /// </summary>
    /// <remarks>
    /// Written by <c>safetensors.torch.save_model</c>; the format itself cannot alias. A key without a dot is a tie only where a second
    /// entry declares it, as <see cref="SafeTensorsWriter"/>'s callers in this library do: <c>"tie:embed": "head"</c>.
    /// </remarks>
    public IReadOnlyDictionary<string, string> Ties { get; }

    /// <summary>What is unusual about the files and not an error, a sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>Closes the sources.</summary>
    public ValueTask DisposeAsync() => ShardOpener.CloseAsync(Files);

    private static Dictionary<string, CheckpointTensor> TensorsOf(IReadOnlyList<CheckpointFile> files)
    {
        var tensors = new Dictionary<string, CheckpointTensor>(files.Sum(static file => file.Header.Tensors.Count), StringComparer.Ordinal);
        for (int i = 0; i < files.Count; i++)
        {
            foreach (TensorInfo tensor in files[i].Header.Tensors)
            {
                tensors.Add(tensor.Name, new CheckpointTensor(i, tensor));
            }
        }

        return tensors;
    }

    private static IReadOnlyDictionary<string, string> MergeMetadata(IReadOnlyList<CheckpointFile> files)
    {
        if (files.Count == 1)
        {
            return files[0].Header.Metadata;
        }

        var merged = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string key, string value) in files.SelectMany(file => file.Header.Metadata))
        {
            merged.TryAdd(key, value);
        }

        return merged;
    }
}

/// <summary>One file of a checkpoint.</summary>
/// <param name="Name">The name relative to the entry's folder.</param>
/// <param name="Source">The opened file.</param>
/// <param name="Header">Its checked header.</param>
internal sealed record CheckpointFile(string Name, IWeightSource Source, SafeTensorsHeader Header);

/// <summary>A tensor and the file that holds it.</summary>
/// <param name="File">An index into <see cref="Checkpoint.Files"/>.</param>
/// <param name="Info">Its dtype, shape and range.</param>
internal readonly record struct CheckpointTensor(int File, TensorInfo Info);
