namespace TypedWeights;

/// <summary>Which revision of its source a typed model is loaded at.</summary>
public enum WeightRevision
{
    /// <summary>
    /// The one that the snapshot recorded: the commit of the hub, the version or generation of a bucket's object. Where it recorded none,
    /// what is current, held to by its ETag while it is read.
    /// </summary>
    Recorded,

    /// <summary>What is current when the load begins. It must still have the names, dtypes and shapes of the class.</summary>
    Latest,
}
