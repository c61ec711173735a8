using System.Numerics;
using System.Runtime.InteropServices;

namespace TypedWeights.Devices.Converting;

/// <summary>Counts infinite values: what a narrower type makes of values beyond its range.</summary>
internal static class Infinities
{
    /// <returns>0 for types without infinities, and those that nothing can be too large for.</returns>
    public static long Count(ReadOnlySpan<byte> elements, DType of) => of switch
    {
        DType.F16 => Count<ushort>(elements, 0x7FFF, 0x7C00),
        DType.BF16 => Count<ushort>(elements, 0x7FFF, 0x7F80),
        DType.F32 => Count<uint>(elements, 0x7FFF_FFFF, 0x7F80_0000),
        DType.F64 => Count<ulong>(elements, 0x7FFF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000),
        DType.F8E5M2 => Count<byte>(elements, 0x7F, 0x7C),
        _ => 0,
    };

    private static long Count<T>(ReadOnlySpan<byte> elements, T magnitude, T infinity)
        where T : unmanaged, IBinaryInteger<T>
    {
        ReadOnlySpan<T> values = MemoryMarshal.Cast<byte, T>(elements);
        var mask = new Vector<T>(magnitude);
        var sought = new Vector<T>(infinity);
        long count = 0;
        int at = 0;
        for (; at <= values.Length - Vector<T>.Count; at += Vector<T>.Count)
        {
            // Almost never: then it is worth counting one by one.
            if (Vector.EqualsAny(new Vector<T>(values[at..]) & mask, sought))
            {
                count += CountEach(values.Slice(at, Vector<T>.Count), magnitude, infinity);
            }
        }

        return count + CountEach(values[at..], magnitude, infinity);
    }

    private static long CountEach<T>(ReadOnlySpan<T> values, T magnitude, T infinity)
        where T : unmanaged, IBinaryInteger<T>
    {
        long count = 0;
        foreach (T value in values)
        {
            count += (value & magnitude) == infinity ? 1 : 0;
        }

        return count;
    }
}
