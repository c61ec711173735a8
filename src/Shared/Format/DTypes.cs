namespace TypedWeights;

/// <summary>
/// The one table of dtypes: the name each has in a header and its size in bits. A new dtype is one member of <see cref="DType"/> and
/// one row here (and one in the torch map of <c>TypedWeights</c>).
/// </summary>
public static class DTypes
{
    // In the order of the enum, which is asserted by a test.
    private static readonly (DType DType, string Name, int Bits)[] Rows =
    [
        (DType.Bool, "BOOL", 8),
        (DType.F4, "F4", 4),
        (DType.F6E2M3, "F6_E2M3", 6),
        (DType.F6E3M2, "F6_E3M2", 6),
        (DType.U8, "U8", 8),
        (DType.I8, "I8", 8),
        (DType.F8E5M2, "F8_E5M2", 8),
        (DType.F8E4M3, "F8_E4M3", 8),
        (DType.F8E8M0, "F8_E8M0", 8),
        (DType.F8E4M3Fnuz, "F8_E4M3FNUZ", 8),
        (DType.F8E5M2Fnuz, "F8_E5M2FNUZ", 8),
        (DType.I16, "I16", 16),
        (DType.U16, "U16", 16),
        (DType.F16, "F16", 16),
        (DType.BF16, "BF16", 16),
        (DType.I32, "I32", 32),
        (DType.U32, "U32", 32),
        (DType.F32, "F32", 32),
        (DType.C64, "C64", 64),
        (DType.F64, "F64", 64),
        (DType.I64, "I64", 64),
        (DType.U64, "U64", 64),
    ];

    /// <summary>Every dtype, in the order of the enum.</summary>
    public static IReadOnlyList<DType> All { get; } = [.. Rows.Select(row => row.DType)];

    /// <summary>The name in a header, such as <c>BF16</c>.</summary>
    /// <param name="dtype">A defined dtype.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dtype"/> is not a defined value.</exception>
    public static string Name(this DType dtype) => Row(dtype).Name;

    /// <summary>The size of one element in bits: 4, 6, 8, 16, 32 or 64.</summary>
    /// <param name="dtype">A defined dtype.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dtype"/> is not a defined value.</exception>
    public static int BitSize(this DType dtype) => Row(dtype).Bits;

    /// <summary>Finds the dtype of a header's name; names are case-sensitive.</summary>
    /// <param name="name">The name as the header states it.</param>
    /// <param name="dtype">The dtype found.</param>
    /// <returns>Whether the name is one of the format's 22.</returns>
    public static bool TryParse(string name, out DType dtype)
    {
        foreach ((DType known, string text, _) in Rows)
        {
            if (text == name)
            {
                dtype = known;
                return true;
            }
        }

        dtype = default;
        return false;
    }

    /// <summary>The product of the dimensions, left to right as the reference computes it, times the bits of an element.</summary>
    /// <returns>False if the number of elements or bits does not fit in 64 bits.</returns>
    internal static bool TryGetBits(this DType dtype, TensorShape shape, out ulong bits)
    {
        ulong size = (ulong)dtype.BitSize();
        bool fits = shape.TryGetElementCount(out ulong count) && count <= ulong.MaxValue / size;
        bits = fits ? count * size : 0;
        return fits;
    }

    private static (DType DType, string Name, int Bits) Row(DType dtype) => (uint)dtype < (uint)Rows.Length
        ? Rows[(int)dtype]
        : throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not a safetensors dtype");
}
