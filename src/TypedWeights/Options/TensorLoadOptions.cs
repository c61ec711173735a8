namespace TypedWeights;

/// <summary>How one load of tensors by name is done. The defaults load every tensor onto the CPU.</summary>
public sealed record TensorLoadOptions : CommonLoadOptions
{
    /// <summary>
    /// Which tensors the load takes, by name; the others are not fetched. A tied name that it takes brings its tensor, under that
    /// name. A filter that takes nothing is an error.
    /// </summary>
    /// <value>null: all of them.</value>
    public Func<string, bool>? Filter { get; init; }
}
