namespace TypedWeights;

/// <summary>
/// What is wrong with a file. The first ten are the reference's own names and come in the order in which it checks; the others are
/// about a sharded index, for which there is no reference reader.
/// </summary>
/// <remarks>Source: <c>SafeTensorError</c> in <c>safetensors/src/tensor.rs</c>, 0.8.</remarks>
public enum SafeTensorsErrorKind
{
    /// <summary>The file has fewer than the eight bytes of the header's length.</summary>
    HeaderTooSmall,

    /// <summary>The header's length is beyond 100,000,000 bytes. Also what any other kind of file looks like.</summary>
    HeaderTooLarge,

    /// <summary>The header would end beyond the end of the file.</summary>
    InvalidHeaderLength,

    /// <summary>The header is not UTF-8.</summary>
    InvalidHeader,

    /// <summary>The header is not the JSON it must be: its syntax, a field, a type, a dtype, its nesting.</summary>
    InvalidHeaderDeserialization,

    /// <summary>A tensor does not begin where the one before it ends: a hole, an overlap, or an end before the begin.</summary>
    InvalidOffset,

    /// <summary>The number of elements or bits of a tensor leaves 64 bits.</summary>
    ValidationOverflow,

    /// <summary>A tensor of a type below a byte does not fill whole bytes.</summary>
    MisalignedSlice,

    /// <summary>A tensor's range is not the size of its dtype and shape.</summary>
    TensorInvalidInfo,

    /// <summary>The tensors do not end where the file ends: a truncated download, or bytes after the last tensor.</summary>
    MetadataIncompleteBuffer,

    /// <summary>The shard index is not the JSON it must be.</summary>
    InvalidIndex,

    /// <summary>The index names a shard that could lead out of its folder.</summary>
    UnsafeShardName,

    /// <summary>A shard that the index names is not there.</summary>
    MissingShard,

    /// <summary>The index puts a tensor into a shard that does not hold it.</summary>
    TensorNotInShard,

    /// <summary>A tensor stands in more than one shard.</summary>
    DuplicateTensor,
}
