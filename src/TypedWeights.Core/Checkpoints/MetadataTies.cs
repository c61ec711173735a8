using System.Collections;
using System.Diagnostics.CodeAnalysis;
using TypedWeights.Errors;
using TypedWeights.Snapshots;

namespace TypedWeights.Checkpoints;

/// <summary>
/// The ties among the entries of a checkpoint's metadata: a view, as a copy of millions of entries would take as much memory again.
/// </summary>
internal sealed class MetadataTies : IReadOnlyDictionary<string, string>
{
    private readonly IReadOnlyDictionary<string, string> _metadata;
    private readonly Func<string, string?> _find;
    private readonly Func<string, bool> _isTensor;

    public MetadataTies(IReadOnlyDictionary<string, string> metadata, IReadOnlyDictionary<string, CheckpointTensor> tensors)
    {
        _metadata = metadata;
        _find = key => metadata.GetValueOrDefault(key);
        _isTensor = tensors.ContainsKey;
        Count = metadata.Count(IsTie);
    }

    public int Count { get; }

    public IEnumerable<string> Keys => _metadata.Where(IsTie).Select(static entry => entry.Key);

    public IEnumerable<string> Values => _metadata.Where(IsTie).Select(static entry => entry.Value);

    public string this[string key] =>
        TryGetValue(key, out string? value) ? value : throw new KeyNotFoundException($"There is no tie of the name {Printable.Name(key)}.");

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value)
    {
        value = _metadata.GetValueOrDefault(key);
        if (value is not null && IsTie(KeyValuePair.Create(key, value)))
        {
            return true;
        }

        value = null;
        return false;
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => _metadata.Where(IsTie).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private bool IsTie(KeyValuePair<string, string> entry) => TiedNames.IsTie(entry, _find, _isTensor);
}
