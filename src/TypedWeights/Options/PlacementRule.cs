using TorchSharp;
using TypedWeights.Manifests;

namespace TypedWeights.Options;

/// <summary>One rule of a <see cref="Placement"/>.</summary>
/// <param name="Device">Where to.</param>
/// <param name="Pattern">Which names; null for a budget.</param>
/// <param name="Budget">The most bytes; of no meaning beside a pattern.</param>
internal sealed record PlacementRule(torch.Device Device, NameGlob? Pattern, long Budget);
