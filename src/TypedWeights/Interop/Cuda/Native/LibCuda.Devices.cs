using System.Runtime.InteropServices;

namespace TypedWeights.Interop.Cuda.Native;

internal static partial class LibCuda
{
    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuInit")]
    public static partial CudaError Init(uint flags);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuDriverGetVersion")]
    public static partial CudaError DriverGetVersion(out int version);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuDeviceGetCount")]
    public static partial CudaError DeviceGetCount(out int count);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuDeviceGet")]
    public static partial CudaError DeviceGet(out int device, int ordinal);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuDeviceGetName")]
    public static partial CudaError DeviceGetName(Span<byte> name, int length, int device);
}
