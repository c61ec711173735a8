namespace TypedWeights;

/// <summary>TorchSharp's native library could not be loaded. The message names the library that failed and what to do.</summary>
public sealed class TorchNativeException : WeightsException
{
    internal TorchNativeException(string library, string message, Exception? inner = null)
        : base(message, inner) => Library = library;

    /// <summary>The file name of the library that failed, such as <c>libtorch_cpu.so</c>.</summary>
    public string Library { get; }
}
