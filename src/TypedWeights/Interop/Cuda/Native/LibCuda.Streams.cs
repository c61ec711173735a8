using System.Runtime.InteropServices;

namespace TypedWeights.Interop.Cuda.Native;

internal static partial class LibCuda
{
    /// <summary>A stream that does not wait for the legacy default stream, and that one not for it.</summary>
    public const uint StreamNonBlocking = 1;

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuStreamCreate")]
    public static partial CudaError StreamCreate(out nint stream, uint flags);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuStreamSynchronize")]
    public static partial CudaError StreamSynchronize(nint stream);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuStreamWaitEvent")]
    public static partial CudaError StreamWaitEvent(nint stream, nint what, uint flags);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuStreamDestroy_v2")]
    public static partial CudaError StreamDestroy(nint stream);
}
