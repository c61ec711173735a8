using System.Collections;
using TorchSharp;

namespace TypedWeights;

/// <summary>The tensors of a list whose children 0..n-1 are tensors themselves, such as a parameter list.</summary>
public sealed class TensorList : IReadOnlyList<torch.Tensor>
{
    private readonly ArraySegment<WeightEntry> _entries;

    internal TensorList(ArraySegment<WeightEntry> entries) => _entries = entries;

    /// <summary>The number of tensors.</summary>
    public int Count => _entries.Count;

    /// <summary>The tensor at an index; the model owns it.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The index is out of range.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public torch.Tensor this[int index] => (uint)index < (uint)_entries.Count
        ? _entries[index].Tensor
        : throw new ArgumentOutOfRangeException(nameof(index), index, $"The list has {_entries.Count} tensors.");

    /// <summary>Some of the tensors, without a copy; <c>list[..8]</c> calls it.</summary>
    /// <param name="start">The index of the first tensor.</param>
    /// <param name="length">The number of tensors.</param>
    /// <exception cref="ArgumentOutOfRangeException">The list does not have all of them.</exception>
    public TensorList Slice(int start, int length) => new(_entries.Slice(start, length));

    /// <summary>The tensors in order.</summary>
    public IEnumerator<torch.Tensor> GetEnumerator() => _entries.Select(static entry => entry.Tensor).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
