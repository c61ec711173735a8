namespace TypedWeights;

/// <summary>
/// The element types of the safetensors format, narrow to wide: the order of the reference's enum, by which its writer sorts
/// (widest first).
/// </summary>
/// <remarks>Source: <c>Dtype</c> in <c>safetensors/src/tensor.rs</c>, 0.8. Names and sizes are in <see cref="DTypes"/>.</remarks>
public enum DType
{
    /// <summary><c>BOOL</c>, one byte an element.</summary>
    Bool,

    /// <summary><c>F4</c>, E2M1, two elements a byte.</summary>
    F4,

    /// <summary><c>F6_E2M3</c>, four elements in three bytes.</summary>
    F6E2M3,

    /// <summary><c>F6_E3M2</c>, four elements in three bytes.</summary>
    F6E3M2,

    /// <summary><c>U8</c>, unsigned byte.</summary>
    U8,

    /// <summary><c>I8</c>, signed byte.</summary>
    I8,

    /// <summary><c>F8_E5M2</c>, one byte.</summary>
    F8E5M2,

    /// <summary><c>F8_E4M3</c>, one byte (finite only: PyTorch's <c>float8_e4m3fn</c>).</summary>
    F8E4M3,

    /// <summary><c>F8_E8M0</c>, one byte, an exponent alone: a block scale.</summary>
    F8E8M0,

    /// <summary><c>F8_E4M3FNUZ</c>, one byte, finite, without negative zero.</summary>
    F8E4M3Fnuz,

    /// <summary><c>F8_E5M2FNUZ</c>, one byte, finite, without negative zero.</summary>
    F8E5M2Fnuz,

    /// <summary><c>I16</c>.</summary>
    I16,

    /// <summary><c>U16</c>.</summary>
    U16,

    /// <summary><c>F16</c>, IEEE half precision.</summary>
    F16,

    /// <summary><c>BF16</c>, bfloat16.</summary>
    BF16,

    /// <summary><c>I32</c>.</summary>
    I32,

    /// <summary><c>U32</c>.</summary>
    U32,

    /// <summary><c>F32</c>, IEEE single precision.</summary>
    F32,

    /// <summary><c>C64</c>, a complex number of two <c>F32</c>.</summary>
    C64,

    /// <summary><c>F64</c>, IEEE double precision.</summary>
    F64,

    /// <summary><c>I64</c>.</summary>
    I64,

    /// <summary><c>U64</c>.</summary>
    U64,
}
