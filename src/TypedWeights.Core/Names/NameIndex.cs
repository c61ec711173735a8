namespace TypedWeights;

/// <summary>Names that can be asked for what lies below a prefix. Sorted at the first such question, as most models never ask.</summary>
internal sealed class NameIndex
{
    private readonly HashSet<string> _names;
    private readonly Lazy<string[]> _sorted;

    public NameIndex(IEnumerable<string> names)
    {
        _names = new HashSet<string>(names, StringComparer.Ordinal);
        _sorted = new Lazy<string[]>(() =>
        {
            string[] sorted = [.. _names];
            Array.Sort(sorted, StringComparer.Ordinal);
            return sorted;
        });
    }

    public bool Contains(string name) => _names.Contains(name);

    /// <summary>Whether any name starts with the text.</summary>
    public bool HasPrefix(string prefix)
    {
        string[] sorted = _sorted.Value;
        int at = Array.BinarySearch(sorted, prefix, StringComparer.Ordinal);
        at = at < 0 ? ~at : at;
        return at < sorted.Length && sorted[at].StartsWith(prefix, StringComparison.Ordinal);
    }
}
