namespace TypedWeights.Native;

/// <summary>File names of the native libraries on Linux.</summary>
internal static class NativeNames
{
    /// <summary>TorchSharp's own native part.</summary>
    public const string TorchSharp = "libLibTorchSharp.so";

    public const string Torch = "libtorch.so";

    public const string TorchCpu = "libtorch_cpu.so";

    /// <summary>In CUDA builds only.</summary>
    public const string TorchCuda = "libtorch_cuda.so";
}
