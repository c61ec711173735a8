using TorchSharp;

namespace TypedWeights.Interop;

/// <summary>How libtorch holds a tensor of a checkpoint.</summary>
/// <param name="ScalarType">The element type.</param>
/// <param name="Shape">The shape in elements of that type; every dimension fits in a signed 64-bit integer, as libtorch requires.</param>
internal readonly record struct TorchLayout(torch.ScalarType ScalarType, TensorShape Shape)
{
    // By the numbers of libtorch where the enum of TorchSharp has no name. A test creates a tensor of each.
    private static readonly Dictionary<DType, torch.ScalarType> ScalarTypes = new()
    {
        [DType.Bool] = torch.ScalarType.Bool,
        [DType.F4] = (torch.ScalarType)45,
        [DType.U8] = torch.ScalarType.Byte,
        [DType.I8] = torch.ScalarType.Int8,
        [DType.F8E5M2] = (torch.ScalarType)23,
        [DType.F8E4M3] = (torch.ScalarType)24,
        [DType.F8E5M2Fnuz] = (torch.ScalarType)25,
        [DType.F8E4M3Fnuz] = (torch.ScalarType)26,
        [DType.F8E8M0] = (torch.ScalarType)44,
        [DType.I16] = torch.ScalarType.Int16,
        [DType.U16] = (torch.ScalarType)27,
        [DType.F16] = torch.ScalarType.Float16,
        [DType.BF16] = torch.ScalarType.BFloat16,
        [DType.I32] = torch.ScalarType.Int32,
        [DType.U32] = (torch.ScalarType)28,
        [DType.F32] = torch.ScalarType.Float32,
        [DType.C64] = torch.ScalarType.ComplexFloat32,
        [DType.F64] = torch.ScalarType.Float64,
        [DType.I64] = torch.ScalarType.Int64,
        [DType.U64] = (torch.ScalarType)29,
    };

    /// <summary>The layout of a tensor.</summary>
    /// <remarks>
    /// <c>F4</c> is two elements a byte in libtorch (<c>float4_e2m1fn_x2</c>), so the last dimension halves. What libtorch has no type
    /// for (<c>F6_E2M3</c>, <c>F6_E3M2</c>, an odd last dimension of <c>F4</c>, a dimension beyond 2^63-1 in an empty tensor) is held as
    /// its bytes: <c>Byte [n]</c>.
    /// </remarks>
    public static TorchLayout Of(DType dtype, TensorShape of)
    {
        bool signed = true;
        for (int axis = 0; axis < of.Rank; axis++)
        {
            signed &= of[axis] <= long.MaxValue;
        }

        if (!signed || !ScalarTypes.TryGetValue(dtype, out torch.ScalarType scalarType))
        {
            return AsBytes(dtype, of);
        }

        if (dtype != DType.F4)
        {
            return new TorchLayout(scalarType, of);
        }

        ulong[] shape = of.Dimensions.ToArray();
        if (shape[^1] % 2 != 0)
        {
            return AsBytes(dtype, of);
        }

        shape[^1] /= 2;
        return new TorchLayout(scalarType, TensorShape.Own(shape));
    }

    /// <summary>The dtype that a tensor is saved as.</summary>
    /// <returns>False for what the format cannot hold: quantised types, <c>complex128</c> and the like.</returns>
    public static bool TryGetDType(torch.ScalarType scalarType, out DType dtype)
    {
        foreach ((DType candidate, torch.ScalarType of) in ScalarTypes)
        {
            if (of == scalarType)
            {
                dtype = candidate;
                return true;
            }
        }

        dtype = default;
        return false;
    }

    // The header's checks have made sure that the bits fit 64 bits and fill whole bytes.
    private static TorchLayout AsBytes(DType dtype, TensorShape shape)
    {
        _ = shape.TryGetElementCount(out ulong count);
        return new TorchLayout(torch.ScalarType.Byte, new TensorShape(count * (ulong)dtype.BitSize() / 8));
    }
}
