namespace TypedWeights;

/// <summary>
/// What the generator implements on a class with <see cref="SafeTensorsModelAttribute"/>; <see cref="WeightLoader"/> loads any of these.
/// </summary>
/// <typeparam name="TSelf">The class itself.</typeparam>
public interface IWeightModel<TSelf> : IDisposable
    where TSelf : class, IWeightModel<TSelf>
{
    /// <summary>What a checkpoint must hold for this class: names, dtypes and shapes; and, as hints, files and offsets.</summary>
    static abstract WeightManifest Manifest { get; }

    /// <summary>
    /// Where the tensors go unless <see cref="CommonLoadOptions.Placement"/> says otherwise: what <see cref="PlaceWeightsAttribute"/> says.
    /// </summary>
    /// <value>null: to <see cref="CommonLoadOptions.Device"/>.</value>
    static virtual Placement? Placement => null;

    /// <summary>The tensors by their raw names; owned by the model.</summary>
    WeightSet Weights { get; }

    /// <summary>Builds the tree over a set that has every tensor of <see cref="Manifest"/>, and takes ownership of it.</summary>
    /// <param name="weights">The loaded tensors.</param>
    static abstract TSelf Bind(WeightSet weights);
}
