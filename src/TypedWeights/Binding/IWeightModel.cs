namespace TypedWeights;

/// <summary>
/// The generator implements this on a class with <see cref="SafeTensorsModelAttribute"/>; <see cref="WeightLoader"/> loads any such class.
/// </summary>
/// <typeparam name="TSelf">The class itself.</typeparam>
public interface IWeightModel<TSelf> : IDisposable
    where TSelf : class, IWeightModel<TSelf>
{
    /// <summary>What a checkpoint must have for this class: names, dtypes and shapes; and, as hints, files and offsets.</summary>
    static abstract WeightManifest Manifest { get; }

    /// <summary>
    /// The default of <see cref="CommonLoadOptions.Placement"/>: the devices of <see cref="PlaceWeightsAttribute"/>.
    /// </summary>
    /// <value>null: all tensors go to <see cref="CommonLoadOptions.Device"/>.</value>
    static virtual Placement? Placement => null;

    /// <summary>The tensors by their raw names; owned by the model.</summary>
    WeightSet Weights { get; }

    /// <summary>Builds the tree over a set that has every tensor of <see cref="Manifest"/>, and owns the set from then on.</summary>
    /// <param name="weights">The loaded tensors.</param>
    static abstract TSelf Bind(WeightSet weights);
}

/// <summary>
/// Makes a partial class the typed tree of a checkpoint's weights: the generator writes its members from the snapshot
/// (<c>weights/*.weights.json</c>) that was taken of <paramref name="source"/>.
/// </summary>
/// <param name="source">
/// The path or URI that the snapshot was taken of. The class is also loaded from there, unless the load is given another source.
/// </param>
/// <example><code>
/// [SafeTensorsModel("https://models.example/mistral/model.safetensors.index.json")]
/// public sealed partial class Mistral7B;
/// </code></example>
// Also for structs and interfaces, so that the only error about them is the generator's, which says what to do.
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface, Inherited = false)]
public sealed class SafeTensorsModelAttribute(string source) : Attribute
{
    /// <summary>The path or URI as written.</summary>
    public string Source { get; } = source;
}

/// <summary>
/// Puts some weights of a class with <see cref="SafeTensorsModelAttribute"/> on a device, unless <see cref="CommonLoadOptions.Placement"/> is set.
/// The compiler checks it: a pattern that matches no weight, two patterns that match one weight, and a text that is not a device are errors.
/// </summary>
/// <param name="pattern">
/// The names, as in <see cref="Placement"/>: <c>{0..15}</c> stands for numbers and <c>*</c> for any text, dots included.
/// </param>
/// <param name="device"><c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>.</param>
/// <example><code>
/// [SafeTensorsModel("hf://mistralai/Mistral-7B-v0.1")]
/// [PlaceWeights("model.layers.{0..15}.*", "cuda:0")]
/// [PlaceWeights("model.layers.{16..31}.*", "cuda:1")]
/// public sealed partial class Mistral7B;
/// </code></example>
// Also for structs and interfaces, so that the only error about them is the generator's, which says what to do.
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface, AllowMultiple = true, Inherited = false)]
public sealed class PlaceWeightsAttribute(string pattern, string device) : Attribute
{
    /// <summary>The pattern as written.</summary>
    public string Pattern { get; } = pattern;

    /// <summary>The device as written.</summary>
    public string Device { get; } = device;
}
