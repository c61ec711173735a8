using TypedWeights.Errors;
using TypedWeights.Json;

namespace TypedWeights.Snapshots;

/// <summary>
/// Holds a snapshot against itself: an edited or badly merged one must not become code. Every file's tensors tile its data, as in a
/// valid header, and end where the file ends; of several shards, one may have bytes of no tensor.
/// </summary>
internal static class SnapshotCheck
{
    /// <param name="snapshot">What was read.</param>
    /// <param name="positions">The byte at which each tensor stands.</param>
    public static void Run(WeightSnapshot snapshot, List<int> positions)
    {
        // In ordinal order, as they are written, the same name could only come twice in a row.
        HashSet<string>? names = IsInOrder(snapshot.Tensors) ? null : new HashSet<string>(StringComparer.Ordinal);
        var order = new int[snapshot.Tensors.Count];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
            SnapshotTensor tensor = snapshot.Tensors[i];
            if (names is null ? i > 0 && snapshot.Tensors[i - 1].Name == tensor.Name : !names.Add(tensor.Name))
            {
                throw new JsonReadException(positions[i], $"the tensor {Printable.Name(tensor.Name)} stands twice");
            }

            if (tensor.File >= snapshot.Files.Count)
            {
                throw new JsonReadException(
                    positions[i],
                    $"the tensor {Printable.Name(tensor.Name)} is in file {tensor.File} of {snapshot.Files.Count} (counted from 0)");
            }

            CheckSize(tensor, positions[i]);
        }

        Array.Sort(order, (a, b) => Compare(snapshot.Tensors[a], snapshot.Tensors[b]));
        var ends = new long[snapshot.Files.Count];

        // A shard may also hold the copy of a tensor that the index puts into another one: bytes of no tensor.
        bool hasCopies = ends.Length > 1;
        foreach (int i in order)
        {
            SnapshotTensor tensor = snapshot.Tensors[i];
            if (tensor.Begin < ends[tensor.File] || (tensor.Begin > ends[tensor.File] && !hasCopies))
            {
                throw new JsonReadException(
                    positions[i],
                    $"the tensor {Printable.Name(tensor.Name)} begins at {tensor.Begin} "
                        + $"where the tensors before it end at {ends[tensor.File]}");
            }

            ends[tensor.File] = tensor.End;
        }

        long all = 0;
        for (int f = 0; f < ends.Length; f++)
        {
            SnapshotFile file = snapshot.Files[f];
            if (file.Length > long.MaxValue - all)
            {
                throw new JsonReadException(0, "its files together are beyond 2^63-1 bytes");
            }

            all += file.Length;
            long data = file.Length - 8 - file.HeaderLength;
            if (data < ends[f] || (data > ends[f] && !hasCopies))
            {
                throw new JsonReadException(
                    0,
                    $"the file {Printable.Name(file.Name)} has {file.Length} bytes, but its header ({file.HeaderLength} + 8) "
                        + $"and tensors end at {ends[f]} after it");
            }
        }
    }

    private static bool IsInOrder(IReadOnlyList<SnapshotTensor> tensors)
    {
        for (int i = 1; i < tensors.Count; i++)
        {
            if (string.CompareOrdinal(tensors[i - 1].Name, tensors[i].Name) > 0)
            {
                return false;
            }
        }

        return true;
    }

    private static void CheckSize(SnapshotTensor tensor, int position)
    {
        ulong bits = (ulong)tensor.DType.BitSize();
        bool fits = tensor.Shape.TryGetElementCount(out ulong count) && count <= ulong.MaxValue / bits;
        if (!fits || tensor.End < tensor.Begin || count * bits % 8 != 0 || count * bits / 8 != (ulong)(tensor.End - tensor.Begin))
        {
            throw new JsonReadException(
                position,
                $"the tensor {Printable.Name(tensor.Name)} is {tensor.DType.Name()} {tensor.Shape.ToShortString()}, "
                    + $"which is not the {tensor.End - tensor.Begin} bytes from {tensor.Begin} to {tensor.End}");
        }
    }

    // Sorting by the begin alone would misplace an empty tensor that shares its begin with the next one.
    private static int Compare(SnapshotTensor a, SnapshotTensor b)
    {
        int byFile = a.File.CompareTo(b.File);
        int byBegin = byFile != 0 ? byFile : a.Begin.CompareTo(b.Begin);
        return byBegin != 0 ? byBegin : a.End.CompareTo(b.End);
    }
}
