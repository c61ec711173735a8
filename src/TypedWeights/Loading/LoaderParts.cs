using TypedWeights.Devices.Cuda;
using TypedWeights.Opening;

namespace TypedWeights.Loading;

/// <summary>What the loads of one loader share.</summary>
/// <param name="Sources">Its stores.</param>
/// <param name="Cuda">Its way to GPUs.</param>
/// <param name="Log">Its log.</param>
/// <param name="Time">Its clock.</param>
internal sealed record LoaderParts(SourceRegistry Sources, CudaEngine Cuda, LoadLog Log, TimeProvider Time);
