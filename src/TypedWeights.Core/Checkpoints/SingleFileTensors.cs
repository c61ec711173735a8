using System.Collections;
using System.Diagnostics.CodeAnalysis;
using TypedWeights.Errors;

namespace TypedWeights.Checkpoints;

/// <summary>The tensors of a checkpoint of one file by name, as its header has them already; in the order of their data.</summary>
internal sealed class SingleFileTensors(SafeTensorsHeader header) : IReadOnlyDictionary<string, CheckpointTensor>
{
    public int Count => header.Tensors.Count;

    public IEnumerable<string> Keys => header.Tensors.Select(static tensor => tensor.Name);

    public IEnumerable<CheckpointTensor> Values => header.Tensors.Select(static tensor => new CheckpointTensor(0, tensor));

    public CheckpointTensor this[string key] => new(
        0, header.ByName[key] ?? throw new KeyNotFoundException($"There is no tensor {Printable.Name(key)}."));

    public bool ContainsKey(string key) => header.ByName.Contains(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out CheckpointTensor value)
    {
        TensorInfo? info = header.ByName[key];
        value = info is null ? default : new CheckpointTensor(0, info);
        return info is not null;
    }

    public IEnumerator<KeyValuePair<string, CheckpointTensor>> GetEnumerator() =>
        header.Tensors.Select(static tensor => KeyValuePair.Create(tensor.Name, new CheckpointTensor(0, tensor))).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
