namespace TypedWeights.Tests.Loading.Faults;

/// <summary>The typed model of the noise file: its manifest knows where the bytes lie. Its snapshot is in <c>weights/</c>.</summary>
[SafeTensorsModel("noise/model.safetensors")]
internal sealed partial class NoiseModel;
