using System.Runtime.InteropServices;

namespace TypedWeights.Interop.Cuda.Native;

internal static partial class LibCuda
{
    /// <summary>Pinned for every context of the process, not for the one alone that it was allocated in.</summary>
    public const uint MemHostAllocPortable = 1;

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuMemGetInfo_v2")]
    public static partial CudaError MemGetInfo(out nuint free, out nuint total);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuMemHostAlloc")]
    public static partial CudaError MemHostAlloc(out nint address, nuint bytes, uint flags);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuMemFreeHost")]
    public static partial CudaError MemFreeHost(nint address);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuMemcpyHtoDAsync_v2")]
    public static partial CudaError MemcpyHtoDAsync(nint device, nint host, nuint bytes, nint stream);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuMemcpyDtoH_v2")]
    public static partial CudaError MemcpyDtoH(nint host, nint device, nuint bytes);
}
