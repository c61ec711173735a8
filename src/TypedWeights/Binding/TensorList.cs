using System.Collections;
using TorchSharp;

namespace TypedWeights;

/// <summary>Numbered children 0..n-1 that are tensors themselves, such as a parameter list's.</summary>
public sealed class TensorList : IReadOnlyList<torch.Tensor>
{
    private readonly ArraySegment<WeightEntry> _entries;

    internal TensorList(ArraySegment<WeightEntry> entries) => _entries = entries;

    /// <summary>The number of tensors.</summary>
    public int Count => _entries.Count;

    /// <summary>The tensor of a number; it stays the model's.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such tensor.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public torch.Tensor this[int index] => (uint)index < (uint)_entries.Count
        ? _entries[index].Tensor
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"There are {_entries.Count} tensors.");

    /// <summary>Some of the tensors, without a copy; <c>list[..8]</c> calls it.</summary>
    /// <param name="start">The first.</param>
    /// <param name="length">How many.</param>
    /// <exception cref="ArgumentOutOfRangeException">They are not all in the list.</exception>
    public TensorList Slice(int start, int length) => new(_entries.Slice(start, length));

    /// <summary>The tensors in order.</summary>
    public IEnumerator<torch.Tensor> GetEnumerator() => _entries.Select(static entry => entry.Tensor).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
