using System.ComponentModel;
using System.Globalization;

namespace TypedWeights.Binding;

/// <summary>For generated code: the names below a prefix, in one set of weights.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public readonly struct WeightScope
{
    private readonly WeightSet _weights;
    private readonly string? _prefix;

    private WeightScope(WeightSet weights, string? prefix) => (_weights, _prefix) = (weights, prefix);

    /// <summary>The scope of all names.</summary>
    /// <param name="weights">The set that the names are looked up in.</param>
    public static WeightScope Root(WeightSet weights) => new(weights, null);

    /// <summary>The names below one segment.</summary>
    /// <param name="segment">The raw text between two dots.</param>
    public WeightScope Group(string segment) => new(_weights, TensorName.Join(_prefix, segment));

    /// <summary>The tensor whose name ends here.</summary>
    /// <param name="segment">The last segment; null when the scope's own prefix is a tensor's name too.</param>
    public WeightEntry Tensor(string? segment) => _weights.Entry(TensorName.Join(_prefix, segment));

    /// <summary>The tensor whose name ends here, or null if this item of a list has no such tensor.</summary>
    /// <param name="segment">The last segment; null when the scope's own prefix is a tensor's name too.</param>
    public WeightEntry? OptionalTensor(string? segment)
    {
        string name = TensorName.Join(_prefix, segment);
        return _weights.ContainsKey(name) ? _weights.Entry(name) : null;
    }

    /// <summary>Whether any name is below a child group of this one.</summary>
    /// <param name="segment">The group's name in this one.</param>
    public bool HasGroup(string segment) => _weights.Names.HasGroup(TensorName.Join(_prefix, segment));

    /// <summary>Counts the children 0, 1, … up to the first that is missing.</summary>
    /// <param name="segment">The list's name in this group; null when the numbers are children of the group itself.</param>
    /// <param name="most">The largest count.</param>
    public int CountItems(string? segment, int most) => _weights.Names.CountItems(At(segment)._prefix, most);

    /// <summary>The numbers, of those given, that are children.</summary>
    /// <param name="segment">The list's name in this group; null when the numbers are children of the group itself.</param>
    /// <param name="candidates">The numbers to look for, ascending.</param>
    public int[] PresentItems(string? segment, params int[] candidates) => _weights.Names.PresentItems(At(segment)._prefix, candidates);

    /// <summary>The children 0..count-1.</summary>
    /// <param name="segment">The list's name in this group; null when the numbers are children of the group itself.</param>
    /// <param name="count">The number of children.</param>
    /// <param name="item">Creates an item from the scope of its group.</param>
    /// <typeparam name="T">The type of one item.</typeparam>
    public WeightList<T> List<T>(string? segment, int count, Func<WeightScope, T> item)
    {
        WeightScope list = At(segment);
        return new WeightList<T>([.. Enumerable.Range(0, count).Select(number => item(list.Item(number)))]);
    }

    /// <summary>Numbered children that are not 0..n-1.</summary>
    /// <param name="segment">The list's name in this group; null when the numbers are children of the group itself.</param>
    /// <param name="numbers">The numbers, ascending.</param>
    /// <param name="item">Creates an item from the scope of its group.</param>
    /// <typeparam name="T">The type of one item.</typeparam>
    public SparseWeightList<T> Sparse<T>(string? segment, int[] numbers, Func<WeightScope, T> item)
    {
        WeightScope list = At(segment);
        return new SparseWeightList<T>(numbers, [.. numbers.Select(number => item(list.Item(number)))]);
    }

    /// <summary>The children 0..count-1, each of which is a tensor.</summary>
    /// <param name="segment">The list's name in this group; null when the numbers are children of the group itself.</param>
    /// <param name="count">The number of children.</param>
    public TensorList TensorList(string? segment, int count) =>
        new(List(segment, count, static item => item.Tensor(null)).ToArray());

    internal Task WhenReadyAsync(CancellationToken cancellationToken) => _weights.WhenReadyAsync(_prefix, cancellationToken);

    private WeightScope At(string? segment) => segment is null ? this : Group(segment);

    private WeightScope Item(int number) => Group(number.ToString(CultureInfo.InvariantCulture));
}

/// <summary>What the classes of a generated tree have in common.</summary>
/// <param name="scope">The names below the group's prefix.</param>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class WeightGroup(WeightScope scope)
{
    /// <summary>
    /// Waits until every tensor of this group is ready: after <c>BeginLoadAsync</c>, which returns the model before its tensors are ready. After
    /// <c>LoadAsync</c> all of them are.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait, not the load.</param>
    /// <exception cref="WeightsException">The load failed before all of them were ready; every wait ends with the same error.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or that of the load.</exception>
    public Task WhenReadyAsync(CancellationToken cancellationToken = default) => scope.WhenReadyAsync(cancellationToken);
}
