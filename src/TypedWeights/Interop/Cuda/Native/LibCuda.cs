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

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuDevicePrimaryCtxRetain")]
    public static partial CudaError DevicePrimaryCtxRetain(out nint context, int device);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    public static partial CudaError DevicePrimaryCtxRelease(int device);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuCtxPushCurrent_v2")]
    public static partial CudaError CtxPushCurrent(nint context);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuCtxPopCurrent_v2")]
    public static partial CudaError CtxPopCurrent(out nint context);

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

    /// <summary>Who waits for the event sleeps and does not spin.</summary>
    public const uint EventBlockingSync = 1;

    public const uint EventDisableTiming = 2;

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuEventCreate")]
    public static partial CudaError EventCreate(out nint created, uint flags);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuEventRecord")]
    public static partial CudaError EventRecord(nint what, nint stream);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuEventSynchronize")]
    public static partial CudaError EventSynchronize(nint what);

    [LibraryImport(CudaLibrary.Name, EntryPoint = "cuEventDestroy_v2")]
    public static partial CudaError EventDestroy(nint what);

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
