using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace TypedWeights;

/// <summary>Numbered children of a group that are not 0..n-1, by their number: <c>net.0</c> and <c>net.2</c>.</summary>
/// <typeparam name="T">The type of one item.</typeparam>
[SuppressMessage("Naming", "CA1710", Justification = "It is the sparse twin of WeightList and is used in the same places.")]
public sealed class SparseWeightList<T> : IReadOnlyDictionary<int, T>
{
    private readonly int[] _numbers;
    private readonly T[] _items;

    /// <summary>Makes a list of the items.</summary>
    /// <param name="numbers">The numbers, ascending; kept, not copied.</param>
    /// <param name="items">The item of each number; kept, not copied.</param>
    /// <exception cref="ArgumentException">The two differ in length, or the numbers are not ascending.</exception>
    public SparseWeightList(int[] numbers, T[] items)
    {
        if (numbers.Length != items.Length || numbers.Zip(numbers.Skip(1), (a, b) => a < b).Contains(false))
        {
            throw new ArgumentException("The numbers must be ascending, and each needs one item.", nameof(numbers));
        }

        _numbers = numbers;
        _items = items;
    }

    /// <summary>How many items there are.</summary>
    public int Count => _items.Length;

    /// <summary>The numbers, ascending.</summary>
    public IEnumerable<int> Keys => _numbers;

    /// <summary>The items in the order of their numbers.</summary>
    public IEnumerable<T> Values => _items;

    /// <summary>The item of a number.</summary>
    /// <param name="key">One of <see cref="Keys"/>.</param>
    /// <exception cref="KeyNotFoundException">There is no such item; the message lists the existing ones.</exception>
    public T this[int key] => TryGetValue(key, out T? value)
        ? value
        : throw new KeyNotFoundException($"There is no item {key}; there are {Manifests.NumberRuns.Text(_numbers, ',')}.");

    /// <summary>Whether there is an item of the number.</summary>
    /// <param name="key">A number.</param>
    public bool ContainsKey(int key) => Array.BinarySearch(_numbers, key) >= 0;

    /// <summary>The item of a number, if there is one.</summary>
    /// <param name="key">A number.</param>
    /// <param name="value">The item.</param>
    public bool TryGetValue(int key, [MaybeNullWhen(false)] out T value)
    {
        int at = Array.BinarySearch(_numbers, key);
        value = at < 0 ? default : _items[at];
        return at >= 0;
    }

    /// <summary>Numbers and items in the order of the numbers.</summary>
    public IEnumerator<KeyValuePair<int, T>> GetEnumerator() => _numbers.Zip(_items, KeyValuePair.Create).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
