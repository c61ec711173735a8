using System.Runtime.InteropServices;

namespace TypedWeights.Interop.Cuda.Native;

internal static partial class LibCuda
{
    /// <summary>Who waits for the event sleeps and does not spin.</summary>
    public const uint EventBlockingSync = 1;

    public const uint EventDisableTiming = 2;

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuEventCreate")]
    public static partial CudaError EventCreate(out nint created, uint flags);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuEventRecord")]
    public static partial CudaError EventRecord(nint what, nint stream);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuEventQuery")]
    public static partial CudaError EventQuery(nint what);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuEventSynchronize")]
    public static partial CudaError EventSynchronize(nint what);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuEventDestroy_v2")]
    public static partial CudaError EventDestroy(nint what);
}
