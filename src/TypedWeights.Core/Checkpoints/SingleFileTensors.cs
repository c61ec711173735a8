using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace TypedWeights.Checkpoints;

/// <summary>The tensors of a checkpoint of one file by name, as its header has them already; in the order of their data.</summary>
internal sealed class SingleFileTensors(SafeTensorsHeader header) : IReadOnlyDictionary<string, CheckpointTensor>
{
    public int Count => header.Tensors.Count;

    public IEnumerable<string> Keys => header.Tensors.Select(static tensor => tensor.Name);

    public IEnumerable<CheckpointTensor> Values => header.Tensors.Select(static tensor => new CheckpointTensor(0, tensor));

    public CheckpointTensor this[string key] => new(0, header.ByName[key]);

    public bool ContainsKey(string key) => header.ByName.ContainsKey(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out CheckpointTensor value)
    {
        bool isThere = header.ByName.TryGetValue(key, out TensorInfo? info);
        value = isThere ? new CheckpointTensor(0, info!) : default;
        return isThere;
    }

    public IEnumerator<KeyValuePair<string, CheckpointTensor>> GetEnumerator() =>
        header.Tensors.Select(static tensor => KeyValuePair.Create(tensor.Name, new CheckpointTensor(0, tensor))).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
