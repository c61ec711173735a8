namespace TypedWeights;

/// <summary>What happens to tensors of a checkpoint that the class does not have.</summary>
public enum UnexpectedTensors
{
    /// <summary>They are mismatches, and the load fails.</summary>
    Error,

    /// <summary>They are not read.</summary>
    Ignore,
}
