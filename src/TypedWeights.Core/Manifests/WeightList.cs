using System.Collections;

namespace TypedWeights;

/// <summary>The numbered children 0..n-1 of a group: the layers of a model, the experts of a layer.</summary>
/// <typeparam name="T">The type of one item.</typeparam>
public sealed class WeightList<T> : IReadOnlyList<T>
{
    private readonly ArraySegment<T> _items;

    /// <summary>Makes a list of the items.</summary>
    /// <param name="items">The items in order; kept, not copied.</param>
    public WeightList(params T[] items) => _items = items;

    private WeightList(ArraySegment<T> items) => _items = items;

    /// <summary>The number of items.</summary>
    public int Count => _items.Count;

    /// <summary>The item of a number.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such item.</exception>
    public T this[int index] => (uint)index < (uint)_items.Count
        ? _items[index]
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"There are {_items.Count} items.");

    /// <summary>Some of the items, without a copy; <c>list[..8]</c> calls it.</summary>
    /// <param name="start">The first item.</param>
    /// <param name="length">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">They are not all in the list.</exception>
    public WeightList<T> Slice(int start, int length) => new(_items.Slice(start, length));

    /// <summary>The items in order.</summary>
    public ArraySegment<T>.Enumerator GetEnumerator() => _items.GetEnumerator();

    IEnumerator<T> IEnumerable<T>.GetEnumerator() => _items.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _items.AsEnumerable().GetEnumerator();
}
