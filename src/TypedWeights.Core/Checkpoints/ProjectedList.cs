using System.Collections;

namespace TypedWeights.Checkpoints;

/// <summary>A list whose items are made of another one's when they are asked for: a million of them take no memory.</summary>
internal sealed class ProjectedList<TFrom, T>(IReadOnlyList<TFrom> of, Func<TFrom, int, T> make) : IReadOnlyList<T>
{
    public int Count => of.Count;

    public T this[int index] => make(of[index], index);

    public IEnumerator<T> GetEnumerator() => Enumerable.Range(0, of.Count).Select(index => this[index]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
