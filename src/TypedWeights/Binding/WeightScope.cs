using System.ComponentModel;

namespace TypedWeights.Binding;

/// <summary>A place in the tree of names, for generated code: the names below a prefix, in one set of weights.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct WeightScope
{
    private readonly WeightSet _weights;
    private readonly ScopeNames _names;

    private WeightScope(WeightSet weights, ScopeNames names)
    {
        _weights = weights;
        _names = names;
    }

    /// <summary>The scope of all names.</summary>
    /// <param name="weights">The set that the names are looked up in.</param>
    public static WeightScope Root(WeightSet weights) => new(weights, new ScopeNames(weights.Names, null));

    /// <summary>The names below one segment.</summary>
    /// <param name="segment">The raw text between two dots.</param>
    public WeightScope Group(string segment) => new(_weights, _names.Group(segment));

    /// <summary>The tensor whose name ends here.</summary>
    /// <param name="segment">The last segment; null when the scope's own prefix is a tensor's name too.</param>
    public WeightEntry Tensor(string? segment) => _weights.Entry(_names.Name(segment));

    /// <summary>The tensor whose name ends here, or null where this element of a list has none.</summary>
    /// <param name="segment">The last segment; null when the scope's own prefix is a tensor's name too.</param>
    public WeightEntry? OptionalTensor(string? segment)
    {
        string name = _names.Name(segment);
        return _weights.ContainsKey(name) ? _weights.Entry(name) : null;
    }

    /// <summary>Whether any name lies below a segment.</summary>
    /// <param name="segment">The raw text between two dots.</param>
    public bool HasGroup(string segment) => _names.HasGroup(segment);

    /// <summary>How many of the children 0, 1, … there are without a gap.</summary>
    /// <param name="segment">The list's segment; null when the numbers are children of this scope itself.</param>
    /// <param name="most">Where to stop.</param>
    public int CountItems(string? segment, int most) => _names.ListAt(segment).CountItems(most);

    /// <summary>Which of the numbered children there are.</summary>
    /// <param name="segment">The list's segment; null when the numbers are children of this scope itself.</param>
    /// <param name="candidates">The numbers to look for, rising.</param>
    public int[] PresentItems(string? segment, params int[] candidates) => [.. candidates.Where(_names.ListAt(segment).HasItem)];

    /// <summary>The children 0..count-1.</summary>
    /// <param name="segment">The list's segment; null when the numbers are children of this scope itself.</param>
    /// <param name="count">How many.</param>
    /// <param name="item">Makes an item of its scope.</param>
    /// <typeparam name="T">The type of one item.</typeparam>
    public WeightList<T> List<T>(string? segment, int count, Func<WeightScope, T> item)
    {
        WeightScope list = ListAt(segment);
        var items = new T[count];
        for (int i = 0; i < count; i++)
        {
            items[i] = item(list.Group(ScopeNames.Segment(i)));
        }

        return new WeightList<T>(items);
    }

    /// <summary>Numbered children that are not 0..n-1.</summary>
    /// <param name="segment">The list's segment; null when the numbers are children of this scope itself.</param>
    /// <param name="numbers">The numbers, rising.</param>
    /// <param name="item">Makes an item of its scope.</param>
    /// <typeparam name="T">The type of one item.</typeparam>
    public SparseWeightList<T> Sparse<T>(string? segment, int[] numbers, Func<WeightScope, T> item)
    {
        WeightScope list = ListAt(segment);
        return new SparseWeightList<T>(numbers, Array.ConvertAll(numbers, number => item(list.Group(ScopeNames.Segment(number)))));
    }

    /// <summary>The children 0..count-1, each of which is a tensor.</summary>
    /// <param name="segment">The list's segment; null when the numbers are children of this scope itself.</param>
    /// <param name="count">How many.</param>
    public TensorList TensorList(string? segment, int count)
    {
        WeightScope list = ListAt(segment);
        var entries = new WeightEntry[count];
        for (int i = 0; i < count; i++)
        {
            entries[i] = list.Tensor(ScopeNames.Segment(i));
        }

        return new TensorList(entries);
    }

    private WeightScope ListAt(string? segment) => new(_weights, _names.ListAt(segment));
}
