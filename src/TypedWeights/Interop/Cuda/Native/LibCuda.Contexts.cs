using System.Runtime.InteropServices;

namespace TypedWeights.Interop.Cuda.Native;

internal static partial class LibCuda
{
    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuDevicePrimaryCtxRetain")]
    public static partial CudaError DevicePrimaryCtxRetain(out nint context, int device);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    public static partial CudaError DevicePrimaryCtxRelease(int device);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuCtxPushCurrent_v2")]
    public static partial CudaError CtxPushCurrent(nint context);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuCtxPopCurrent_v2")]
    public static partial CudaError CtxPopCurrent(out nint context);
}
