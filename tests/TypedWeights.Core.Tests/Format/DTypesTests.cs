namespace TypedWeights.Tests.Format;

public sealed class DTypesTests
{
    // The table of the format, independent of the one under test: narrow to wide, the order of the reference's enum.
    private static readonly (string Name, int Bits)[] Reference =
    [
        ("BOOL", 8), ("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6), ("U8", 8), ("I8", 8), ("F8_E5M2", 8), ("F8_E4M3", 8), ("F8_E8M0", 8),
        ("F8_E4M3FNUZ", 8), ("F8_E5M2FNUZ", 8), ("I16", 16), ("U16", 16), ("F16", 16), ("BF16", 16), ("I32", 32), ("U32", 32), ("F32", 32),
        ("C64", 64), ("F64", 64), ("I64", 64), ("U64", 64),
    ];

    [Fact]
    public void The_table_has_the_22_dtypes_of_the_format_in_the_order_of_the_format()
    {
        Assert.Equal(22, DTypes.All.Count);
        Assert.Equal(Enum.GetValues<DType>(), DTypes.All);
        Assert.Equal(Reference, DTypes.All.Select(static dtype => (dtype.Name(), dtype.BitSize())));
    }

    [Fact]
    public void A_dtype_name_is_found_only_in_its_exact_spelling()
    {
        foreach (DType dtype in DTypes.All)
        {
            Assert.True(DTypes.TryParse(dtype.Name(), out DType found));
            Assert.Equal(dtype, found);
#pragma warning disable CA1308 // The lower-case spelling is what must not be found.
            Assert.False(DTypes.TryParse(dtype.Name().ToLowerInvariant(), out _));
#pragma warning restore CA1308
        }

        Assert.False(DTypes.TryParse("", out _));
        Assert.False(DTypes.TryParse("F32 ", out _));
    }

    [Fact]
    public void An_enum_value_outside_the_dtypes_throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(static () => ((DType)22).Name());
        Assert.Throws<ArgumentOutOfRangeException>(static () => ((DType)(-1)).BitSize());
    }

    [Fact]
    public void The_number_of_elements_of_a_shape_is_multiplied_from_left_to_right()
    {
        Assert.Equal((true, 1UL), Count());
        Assert.Equal((true, 24UL), Count(2, 3, 4));
        Assert.Equal((true, 0UL), Count(0, 1UL << 63, 1UL << 63));
        Assert.False(Count(1UL << 63, 4, 0).Fits);
        Assert.Equal((true, ulong.MaxValue), Count(ulong.MaxValue, 1));
        Assert.Equal("[2, 3]", new TensorShape(2, 3).ToString());
        Assert.Equal("[]", default(TensorShape).ToString());
        Assert.Equal(default, new TensorShape());
        Assert.NotEqual(new TensorShape(2, 3), new TensorShape(3, 2));
        Assert.Equal([2L, 3L], new TensorShape(2, 3).ToInt64Array());
        Assert.Throws<OverflowException>(static () => new TensorShape(0, ulong.MaxValue).ToInt64Array());
    }

    private static (bool Fits, ulong Count) Count(params ulong[] shape) =>
        (new TensorShape(shape).TryGetElementCount(out ulong count), count);
}
