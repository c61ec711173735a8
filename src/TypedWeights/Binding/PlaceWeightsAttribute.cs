namespace TypedWeights;

/// <summary>
/// Puts some weights of a class with <see cref="SafeTensorsModelAttribute"/> on a device, unless <see cref="CommonLoadOptions.Placement"/> says
/// otherwise. The compiler checks it: a pattern that no weight has, two that meet, and a text that is no device are errors.
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
// Structs and interfaces too, so that the one error about them is the generator's, which says what to do.
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface, AllowMultiple = true, Inherited = false)]
public sealed class PlaceWeightsAttribute(string pattern, string device) : Attribute
{
    /// <summary>The names.</summary>
    public string Pattern { get; } = pattern;

    /// <summary>The device.</summary>
    public string Device { get; } = device;
}
