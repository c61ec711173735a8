using TypedWeights.Checkpoints;

namespace TypedWeights.Transfer.Planning;

/// <summary>Tensors as they lie in the files.</summary>
internal static class TensorOrder
{
    /// <summary>The tensors that have bytes, by their index: file by file, in the order of their data.</summary>
    public static int[] InFiles(IReadOnlyList<CheckpointTensor> tensors)
    {
        int count = 0;
        bool isOrdered = true;
        Place last = default;
        for (int i = 0; i < tensors.Count; i++)
        {
            (int file, TensorInfo info) = tensors[i];
            if (info.ByteLength > 0)
            {
                var place = new Place(file, info.Begin, i);
                isOrdered = isOrdered && (count == 0 || last.CompareTo(place) < 0);
                last = place;
                count++;
            }
        }

        int[] order = new int[count];
        int at = 0;
        for (int i = 0; i < tensors.Count; i++)
        {
            if (tensors[i].Info.ByteLength > 0)
            {
                order[at++] = i;
            }
        }

        // A checkpoint of one file comes in order.
        if (!isOrdered)
        {
            Place[] places = Array.ConvertAll(order, index => new Place(tensors[index].File, tensors[index].Info.Begin, index));
            Array.Sort(places, order);
        }

        return order;
    }

    private readonly record struct Place(int File, long Begin, int Index) : IComparable<Place>
    {
        public int CompareTo(Place other) => File != other.File ? File.CompareTo(other.File) : Begin.CompareTo(other.Begin);
    }
}
