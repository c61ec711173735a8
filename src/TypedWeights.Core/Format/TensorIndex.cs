using System.Runtime.InteropServices;

namespace TypedWeights.Format;

/// <summary>Where each name stands in a list of tensors: eight bytes for a tensor, as a header may have a million of them.</summary>
internal sealed class TensorIndex
{
    private const int None = -1;

    private readonly List<TensorInfo> _tensors;
    private int[] _buckets;
    private int[] _next;

    /// <param name="tensors">The tensors; none yet: each is added by <see cref="Add"/>.</param>
    public TensorIndex(List<TensorInfo> tensors)
    {
        _tensors = tensors;
        _buckets = NewBuckets(tensors.Capacity);
        _next = new int[_buckets.Length];
    }

    /// <summary>Adds a tensor to the list; there is none of its name (<see cref="Contains"/>).</summary>
    public void Add(TensorInfo tensor)
    {
        _tensors.Add(tensor);
        if (_tensors.Count > _next.Length)
        {
            Rebuild();
        }
        else
        {
            Link(_tensors.Count - 1);
        }
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => Find(name) >= 0;

    /// <summary>The tensor of a name; null for none.</summary>
    public TensorInfo? this[string name] => Find(name) is >= 0 and int found ? _tensors[found] : null;

    /// <summary>Finds them anew, after the list has been sorted or has grown.</summary>
    public void Rebuild()
    {
        if (_tensors.Count > _next.Length)
        {
            _buckets = NewBuckets(_tensors.Capacity);
            _next = new int[_buckets.Length];
        }
        else
        {
            Array.Fill(_buckets, None);
        }

        for (int i = 0; i < _tensors.Count; i++)
        {
            Link(i);
        }
    }

    private static int[] NewBuckets(int count)
    {
        int[] buckets = new int[Math.Max(4, count)];
        Array.Fill(buckets, None);
        return buckets;
    }

    private int Find(string name)
    {
        ReadOnlySpan<TensorInfo> tensors = CollectionsMarshal.AsSpan(_tensors);
        int at = _buckets[Bucket(name)];
        while (at >= 0 && tensors[at].Name != name)
        {
            at = _next[at];
        }

        return at;
    }

    private void Link(int index)
    {
        ref int first = ref _buckets[Bucket(_tensors[index].Name)];
        _next[index] = first;
        first = index;
    }

    private int Bucket(string name) => (int)((uint)name.GetHashCode() % (uint)_buckets.Length);
}
