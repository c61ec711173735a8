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

    /// <summary>The header's length exceeds 100,000,000 bytes. A file of another format is usually reported in this way.</summary>
    HeaderTooLarge,

    /// <summary>The header would end beyond the end of the file.</summary>
    InvalidHeaderLength,

    /// <summary>The header is not UTF-8.</summary>
    InvalidHeader,

    /// <summary>The header is not the JSON it must be: its syntax, a field, a type, a dtype, its nesting.</summary>
    InvalidHeaderDeserialization,

    /// <summary>A tensor does not start where the tensor before it ends: a gap, an overlap, or an end before the start.</summary>
    InvalidOffset,

    /// <summary>The number of elements or bits of a tensor does not fit in 64 bits.</summary>
    ValidationOverflow,

    /// <summary>A tensor of a type below a byte does not fill whole bytes.</summary>
    MisalignedSlice,

    /// <summary>A tensor's range is not the size of its dtype and shape.</summary>
    TensorInvalidInfo,

    /// <summary>The tensors do not end where the file ends: a truncated download, or bytes after the last tensor.</summary>
    MetadataIncompleteBuffer,

    /// <summary>The shard index is not the JSON it must be.</summary>
    InvalidIndex,

    /// <summary>The index names a shard that may be outside the folder of the index.</summary>
    UnsafeShardName,

    /// <summary>A shard that the index names does not exist.</summary>
    MissingShard,

    /// <summary>The index lists a tensor in a shard that does not contain it.</summary>
    TensorNotInShard,

    /// <summary>A tensor is in more than one shard.</summary>
    DuplicateTensor,
}
