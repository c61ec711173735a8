using TypedWeights.Checkpoints;

namespace TypedWeights.Streaming.Planning;

/// <summary>Tensors as they lie in the files.</summary>
internal static class TensorOrder
{
    /// <summary>The tensors that have bytes, by their index: file by file, in the order of their data.</summary>
    public static int[] InFiles(IReadOnlyList<CheckpointTensor> tensors)
    {
        var found = new Place[tensors.Count];
        int count = 0;
        bool isOrdered = true;
        for (int i = 0; i < tensors.Count; i++)
        {
            (int file, TensorInfo info) = tensors[i];
            if (info.ByteLength > 0)
            {
                found[count] = new Place(file, info.Begin, i);
                isOrdered = isOrdered && (count == 0 || found[count - 1].CompareTo(found[count]) < 0);
                count++;
            }
        }

        // A checkpoint of one file comes in order.
        if (!isOrdered)
        {
            Array.Sort(found, 0, count);
        }

        int[] order = new int[count];
        for (int i = 0; i < count; i++)
        {
            order[i] = found[i].Index;
        }

        return order;
    }

    private readonly record struct Place(int File, long Begin, int Index) : IComparable<Place>
    {
        public int CompareTo(Place other) => File != other.File ? File.CompareTo(other.File) : Begin.CompareTo(other.Begin);
    }
}
