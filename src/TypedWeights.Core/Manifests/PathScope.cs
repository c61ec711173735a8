using System.ComponentModel;
using System.Globalization;

namespace TypedWeights.Binding;

/// <summary>A group of a manifest, from which generated classes take their paths. The tensor-free twin of <c>WeightScope</c>.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct PathScope
{
    private readonly WeightManifest _manifest;

    // The group's full name; null for the root, whose children have no dot before them.
    private readonly string? _name;

    private PathScope(WeightManifest manifest, string? name)
    {
        _manifest = manifest;
        _name = name;
    }

    /// <summary>The whole of a manifest.</summary>
    /// <param name="manifest">The manifest.</param>
    public static PathScope Root(WeightManifest manifest) => new(manifest, null);

    /// <summary>A group in this one.</summary>
    /// <param name="segment">Its name in this group.</param>
    public PathScope Group(string segment) => new(_manifest, TensorName.Join(_name, segment));

    /// <summary>A tensor in this group.</summary>
    /// <param name="segment">Its name in this group; null for the tensor that has the group's own name.</param>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    public WeightPath Tensor(string? segment) => _manifest.Path(TensorName.Join(_name, segment));

    /// <summary>A tensor in this group, or null.</summary>
    /// <param name="segment">Its name in this group; null for the tensor that has the group's own name.</param>
    public WeightPath? OptionalTensor(string? segment) =>
        _manifest.TryGetPath(TensorName.Join(_name, segment), out WeightPath path) ? path : null;

    /// <summary>Whether any name lies below a group in this one.</summary>
    /// <param name="segment">The group's name in this one.</param>
    public bool HasGroup(string segment) => _manifest.Names.HasGroup(TensorName.Join(_name, segment));

    /// <summary>How many of the children 0, 1, … there are without a gap.</summary>
    /// <param name="segment">The list's name in this group; null when the numbers are children of the group itself.</param>
    /// <param name="most">Where to stop.</param>
    public int CountItems(string? segment, int most) => _manifest.Names.CountItems(At(segment)._name, most);

    /// <summary>Which of the numbered children there are.</summary>
    /// <param name="segment">The list's name in this group; null when the numbers are children of the group itself.</param>
    /// <param name="candidates">The numbers to look for, ascending.</param>
    public int[] PresentItems(string? segment, params int[] candidates) => _manifest.Names.PresentItems(At(segment)._name, candidates);

    /// <summary>The children 0..count-1.</summary>
    /// <param name="segment">The list's name in this group; null when the numbers are children of the group itself.</param>
    /// <param name="count">How many.</param>
    /// <param name="item">Makes an item of its group.</param>
    /// <typeparam name="T">The type of one item.</typeparam>
    public WeightList<T> List<T>(string? segment, int count, Func<PathScope, T> item)
    {
        PathScope list = At(segment);
        return new WeightList<T>([.. Enumerable.Range(0, count).Select(number => item(list.Item(number)))]);
    }

    /// <summary>Numbered children that are not 0..n-1.</summary>
    /// <param name="segment">The list's name in this group; null when the numbers are children of the group itself.</param>
    /// <param name="numbers">The numbers, ascending.</param>
    /// <param name="item">Makes an item of its group.</param>
    /// <typeparam name="T">The type of one item.</typeparam>
    public SparseWeightList<T> Sparse<T>(string? segment, int[] numbers, Func<PathScope, T> item)
    {
        PathScope list = At(segment);
        return new SparseWeightList<T>(numbers, [.. numbers.Select(number => item(list.Item(number)))]);
    }

    /// <summary>The children 0..count-1, each of which is a tensor.</summary>
    /// <param name="segment">The list's name in this group; null when the numbers are children of the group itself.</param>
    /// <param name="count">How many.</param>
    public WeightList<WeightPath> TensorList(string? segment, int count) => List(segment, count, static item => item.Tensor(null));

    private PathScope At(string? segment) => segment is null ? this : Group(segment);

    private PathScope Item(int number) => Group(number.ToString(CultureInfo.InvariantCulture));
}
