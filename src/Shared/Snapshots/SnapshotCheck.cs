using TypedWeights.Errors;
using TypedWeights.Json;

namespace TypedWeights.Snapshots;

/// <summary>
/// Checks that a snapshot does not contradict itself: an edited or badly merged snapshot must not become code. The tensors of every file tile its
/// data, as in a valid header, and end where the file ends; if there are several shards, they may have bytes of no tensor.
/// </summary>
internal static class SnapshotCheck
{
    /// <param name="snapshot">The snapshot that was read.</param>
    /// <param name="positions">The byte at which each tensor starts.</param>
    public static void Run(WeightSnapshot snapshot, List<int> positions)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var order = new int[snapshot.Tensors.Count];
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
            if (Explain(snapshot.Tensors[i], snapshot.Files.Count, names) is { } problem)
            {
                throw new JsonReadException(positions[i], $"the tensor {Printable.Name(snapshot.Tensors[i].Name)} {problem}");
            }
        }

        Array.Sort(order, (a, b) => Compare(snapshot.Tensors[a], snapshot.Tensors[b]));
        var ends = new long[snapshot.Files.Count];

        // A shard may also hold a copy of a tensor that the index puts into another shard: bytes of no tensor.
        bool mayHaveCopies = ends.Length > 1;
        foreach (int i in order)
        {
            SnapshotTensor tensor = snapshot.Tensors[i];
            if (tensor.Begin < ends[tensor.File] || (tensor.Begin > ends[tensor.File] && !mayHaveCopies))
            {
                throw new JsonReadException(
                    positions[i],
                    $"the tensor {Printable.Name(tensor.Name)} starts at {tensor.Begin}, but the tensors before it end at {ends[tensor.File]}");
            }

            ends[tensor.File] = tensor.End;
        }

        long all = 0;
        for (int f = 0; f < ends.Length; f++)
        {
            SnapshotFile file = snapshot.Files[f];
            if (file.Length > long.MaxValue - all)
            {
                throw new JsonReadException(0, "its files together have more than 2^63-1 bytes");
            }

            all += file.Length;
            long data = file.Length - 8 - file.HeaderLength;
            if (data < ends[f] || (data > ends[f] && !mayHaveCopies))
            {
                throw new JsonReadException(
                    0,
                    $"the file {Printable.Name(file.Name)} has {file.Length} bytes, but its header ({file.HeaderLength} + 8) "
                        + $"and tensors end at {ends[f]} after it");
            }
        }
    }

    private static string? Explain(SnapshotTensor tensor, int files, HashSet<string> names)
    {
        bool hasSize = tensor.DType.TryGetBits(tensor.Shape, out ulong bits) && bits % 8 == 0;
        return !names.Add(tensor.Name) ? "is listed twice"
            : tensor.File >= files ? $"is in file {tensor.File} of {files} (counted from 0)"
            : !hasSize || tensor.End < tensor.Begin || bits / 8 != (ulong)(tensor.End - tensor.Begin)
                ? $"is {tensor.DType.Name()} {tensor.Shape.ToShortString()}, "
                    + $"which does not match the {tensor.End - tensor.Begin} bytes from {tensor.Begin} to {tensor.End}"
            : null;
    }

    // Sorting by the begin alone would misplace an empty tensor that shares its begin with the next tensor.
    private static int Compare(SnapshotTensor a, SnapshotTensor b)
    {
        int byFile = a.File.CompareTo(b.File);
        int byBegin = byFile != 0 ? byFile : a.Begin.CompareTo(b.Begin);
        return byBegin != 0 ? byBegin : a.End.CompareTo(b.End);
    }
}
