namespace TypedWeights;

/// <summary>What of the tensors' bytes a load checks. Names, dtypes and shapes are always checked.</summary>
public enum Verification
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>
    /// Each tensor's SHA-256 against that of the snapshot, which has to have been taken with <c>typedweights snapshot --digest</c>. A
    /// tensor is hashed as soon as its last byte is there, while others are still on their way; a difference refuses the model.
    /// </summary>
    Digests,
}
