namespace TypedWeights.Devices.Cuda.Copying;

/// <summary>Bytes of a buffer that go to one place of the device.</summary>
/// <param name="Device">The place.</param>
/// <param name="Offset">Where they begin in the buffer.</param>
/// <param name="Length">How many.</param>
/// <param name="Tensor">The tensor that the first of them belongs to.</param>
internal readonly record struct CopyPart(nint Device, int Offset, int Length, int Tensor);
