namespace TypedWeights;

/// <summary>
/// Makes a partial class the typed tree of a checkpoint's weights: the generator writes its members from the snapshot
/// (<c>weights/*.weights.json</c>) that was taken of <paramref name="source"/>.
/// </summary>
/// <param name="source">
/// The path or URI that the snapshot was taken of. It is also where the class loads from, unless
/// the load is given another source.
/// </param>
/// <example><code>
/// [SafeTensorsModel("https://models.example/mistral/model.safetensors.index.json")]
/// public sealed partial class Mistral7B;
/// </code></example>
// Structs and interfaces too, so that the one error about them is the generator's, which says what to do.
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface, Inherited = false)]
public sealed class SafeTensorsModelAttribute(string source) : Attribute
{
    /// <summary>The path or URI as written.</summary>
    public string Source { get; } = source;
}
