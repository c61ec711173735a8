using System.Runtime.InteropServices;

namespace TypedWeights.Interop.Cuda.Native;

/// <summary>The driver API's entry points, by their names there. Every one but those for errors gives a <see cref="CudaError"/>.</summary>
internal static partial class LibCuda
{
    /// <summary>The driver's name for an error, <c>CUDA_ERROR_…</c>.</summary>
    public static string NameOf(CudaError error) => ErrorName(error, out nint text) == 0 ? Text(text) : $"CUDA error {(int)error}";

    /// <summary>The driver's words for an error.</summary>
    public static string WordsFor(CudaError error) => ErrorString(error, out nint text) == 0 ? Text(text) : "unknown to this driver";

    // The driver's own strings: they stay where they are.
    private static string Text(nint text) => Marshal.PtrToStringUTF8(text) ?? "";

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuGetErrorName")]
    private static partial CudaError ErrorName(CudaError error, out nint text);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuGetErrorString")]
    private static partial CudaError ErrorString(CudaError error, out nint text);
}
