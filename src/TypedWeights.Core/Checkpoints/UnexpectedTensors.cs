namespace TypedWeights;

/// <summary>What becomes of tensors that a checkpoint holds and the class does not know.</summary>
public enum UnexpectedTensors
{
    /// <summary>They are mismatches, and the load is refused.</summary>
    Error,

    /// <summary>They are not read.</summary>
    Ignore,
}
