using System.ComponentModel;

namespace TypedWeights.Binding;

/// <summary>A place in the tree of names, for generated code: the names below a prefix, in one set of weights.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct WeightScope
{
    private readonly WeightSet _weights;
    private readonly string? _prefix;

    private WeightScope(WeightSet weights, string? prefix)
    {
        _weights = weights;
        _prefix = prefix;
    }

    /// <summary>The scope of all names.</summary>
    /// <param name="weights">The set that the names are looked up in.</param>
    public static WeightScope Root(WeightSet weights) => new(weights, null);

    /// <summary>The names below one segment.</summary>
    /// <param name="segment">The raw text between two dots.</param>
    public WeightScope Group(string segment) => new(_weights, TensorName.Join(_prefix, segment));

    /// <summary>The tensor whose name ends here.</summary>
    /// <param name="segment">The last segment; null when the scope's own prefix is a tensor's name too.</param>
    public WeightEntry Tensor(string? segment) => _weights.Entry(TensorName.Join(_prefix, segment));

    /// <summary>The tensor whose name ends here, or null where this element of a list has none.</summary>
    /// <param name="segment">The last segment; null when the scope's own prefix is a tensor's name too.</param>
    public WeightEntry? OptionalTensor(string? segment)
    {
        string name = TensorName.Join(_prefix, segment);
        return _weights.ContainsKey(name) ? _weights.Entry(name) : null;
    }
}
