using TypedWeights.Json;

namespace TypedWeights.Format;

/// <summary>
/// The array of a shape. The format has no limit of the rank, so a hostile header can hold one of fifty million dimensions: long ones
/// are counted first and get an array of that size, not a list that grows past it.
/// </summary>
internal static class ShapeReader
{
    private const int UsualRank = 8;
    private const int LongestShared = 256;

    public static TensorShape Read(ref JsonPullReader json, ShapeCache shapes)
    {
        // The reader is a value: the copy remembers where the array begins.
        JsonPullReader again = json;
        Span<ulong> usual = stackalloc ulong[UsualRank];
        int rank = 0;
        json.BeginArray();
        while (json.NextElement())
        {
            ulong dimension = json.ReadUInt64();
            if (rank < UsualRank)
            {
                usual[rank] = dimension;
            }

            rank++;
        }

        if (rank <= UsualRank)
        {
            return shapes.Get(usual[..rank]);
        }

        ulong[] dimensions = ReadAgain(ref again, rank);
        return rank <= LongestShared ? shapes.Get(dimensions) : TensorShape.Own(dimensions);
    }

    /// <summary>Passes a shape of usual rank without white space, without its brackets.</summary>
    public static bool TryPass(ref JsonPullReader json, ShapeCache shapes, out TensorShape shape)
    {
        Span<ulong> usual = stackalloc ulong[UsualRank];
        int rank = 0;
        shape = default;
        while (rank < UsualRank && json.TryPassNumber(out usual[rank]))
        {
            rank++;
            if (!json.TryPass(","u8))
            {
                shape = shapes.Get(usual[..rank]);
                return true;
            }
        }

        return false;
    }

    private static ulong[] ReadAgain(ref JsonPullReader json, int rank)
    {
        var dimensions = new ulong[rank];
        json.BeginArray();
        for (int axis = 0; json.NextElement(); axis++)
        {
            dimensions[axis] = json.ReadUInt64();
        }

        return dimensions;
    }
}
