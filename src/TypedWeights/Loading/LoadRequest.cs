using TypedWeights.Checkpoints;
using TypedWeights.Loading.Early;
using TypedWeights.Sources;

namespace TypedWeights.Loading;

/// <summary>What a caller asked a loader for.</summary>
/// <param name="Source">What to load.</param>
/// <param name="Options">How.</param>
/// <param name="Title">What the tensors are called in messages.</param>
/// <param name="Select">Checks a checkpoint and chooses what is read of it.</param>
internal sealed record LoadRequest(LoadSource Source, CommonLoadOptions Options, string Title, Func<Checkpoint, TensorSelection> Select)
{
    /// <summary>The source, as messages name it.</summary>
    public WeightUri Uri => Source.Uri;

    /// <summary>What the checkpoint is expected to be; null for an untyped load.</summary>
    public WeightManifest? Manifest { get; init; }

    /// <summary>Is told how far the load has come.</summary>
    public IProgress<LoadProgress>? Progress { get; init; }

    /// <summary>Hands the tensors out as they become ready; null for a load that returns when it is complete.</summary>
    public EarlyLoad? Early { get; init; }

    /// <summary>What the snapshot recorded and the load must get.</summary>
    public WeightPins Pins { get; init; } = WeightPins.None;
}
