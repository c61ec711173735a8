using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TypedWeights.Interop.Cuda;

/// <summary>NVIDIA's driver. Only the installation of the driver contains its library.</summary>
internal sealed partial class CudaDriver : ICudaDriver
{
    // The name of the library in the imports.
    private const string Library = "typedweights-cuda-driver";

    // CUDA 12.0, as its driver reports it: libtorch is built with 12.8, which runs on every driver for CUDA 12.
    private const int LeastVersion = 12000;

    // The stream and the legacy default stream do not wait for each other.
    private const uint StreamNonBlocking = 1;

    // A thread that waits for the event sleeps and does not spin.
    private const uint EventBlockingSync = 1;
    private const uint EventDisableTiming = 2;

    // Pinned for every context of the process, not only for the one that it was allocated in.
    private const uint MemHostAllocPortable = 1;

    private static readonly Lazy<nint> Handle = new(Load);

    // A failure is not kept: the next load tries again.
    private static readonly Lazy<bool> Started = new(Start, LazyThreadSafetyMode.PublicationOnly);

    /// <summary>The name of the library's file on this system.</summary>
    public static string FileName => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    /// <summary>Whether the library is installed and loads. The imports work after this call.</summary>
    public static bool IsPresent => Handle.Value != 0;

    /// <summary>The driver's name for an error, <c>CUDA_ERROR_…</c>.</summary>
    public static string NameOf(CudaError error) =>
        cuGetErrorName(error, out nint text) == 0 ? Marshal.PtrToStringUTF8(text)! : $"CUDA error {(int)error}";

    public int CountDevices()
    {
        _ = Started.Value;
        Check(cuDeviceGetCount(out int count));
        return count;
    }

    public nint RetainPrimaryContext(int device)
    {
        Check(cuDeviceGet(out int handle, device));
        Check(cuDevicePrimaryCtxRetain(out nint context, handle));
        return context;
    }

    public void ReleasePrimaryContext(int device)
    {
        Check(cuDeviceGet(out int handle, device));
        Check(cuDevicePrimaryCtxRelease_v2(handle));
    }

    public void PushContext(nint context) => Check(cuCtxPushCurrent_v2(context));

    public void PopContext() => Check(cuCtxPopCurrent_v2(out _));

    public (long Free, long Total) MemoryInfo()
    {
        Check(cuMemGetInfo_v2(out nuint free, out nuint total));
        return ((long)free, (long)total);
    }

    public nint AllocatePinned(long bytes)
    {
        Check(cuMemHostAlloc(out nint address, (nuint)bytes, MemHostAllocPortable));
        return address;
    }

    public void FreePinned(nint address) => Check(cuMemFreeHost(address));

    public nint CreateStream()
    {
        Check(cuStreamCreate(out nint stream, StreamNonBlocking));
        return stream;
    }

    public void SynchronizeStream(nint stream) => Check(cuStreamSynchronize(stream));

    public void DestroyStream(nint stream) => Check(cuStreamDestroy_v2(stream));

    public nint CreateEvent()
    {
        Check(cuEventCreate(out nint created, EventBlockingSync | EventDisableTiming));
        return created;
    }

    public void RecordEvent(nint what, nint stream) => Check(cuEventRecord(what, stream));

    public void SynchronizeEvent(nint what) => Check(cuEventSynchronize(what));

    public void DestroyEvent(nint what) => Check(cuEventDestroy_v2(what));

    public void WaitEvent(nint stream, nint what) => Check(cuStreamWaitEvent(stream, what, 0));

    public void CopyToDevice(nint device, nint host, long bytes, nint stream) => Check(cuMemcpyHtoDAsync_v2(device, host, (nuint)bytes, stream));

    public void CopyToHost(nint host, nint device, long bytes) => Check(cuMemcpyDtoH_v2(host, device, (nuint)bytes));

    private static nint Load()
    {
        // An assembly can have only one resolver; for other names the default search applies.
        NativeLibrary.SetDllImportResolver(
            typeof(CudaDriver).Assembly, static (name, assembly, path) => name == Library ? Handle.Value : 0);
        return NativeLibrary.TryLoad(FileName, out nint handle) ? handle : 0;
    }

    private static bool Start()
    {
        if (!IsPresent)
        {
            throw CudaErrors.NoDriver(FileName);
        }

        try
        {
            CudaError started = cuInit(0);
            if (started is CudaError.NoDevice)
            {
                throw CudaErrors.NoDevice();
            }

            if (started is CudaError.SystemDriverMismatch or CudaError.CompatNotSupportedOnDevice)
            {
                throw CudaErrors.DriverMismatch(NameOf(started));
            }

            Check(started, "cuInit(0)");
            Check(cuDriverGetVersion(out int version));
            return version >= LeastVersion ? true : throw CudaErrors.DriverTooOld(version, LeastVersion);
        }
        catch (EntryPointNotFoundException e)
        {
            throw CudaErrors.DriverLacks(e);
        }
    }

    private static void Check(CudaError error, [CallerArgumentExpression(nameof(error))] string call = "")
    {
        if (error != CudaError.Success)
        {
            string words = cuGetErrorString(error, out nint text) == 0 ? Marshal.PtrToStringUTF8(text)! : "unknown to this driver";
            throw new CudaException(error, call, NameOf(error), words);
        }
    }

    [LibraryImport(Library)]
    private static partial CudaError cuGetErrorName(CudaError error, out nint text);

    [LibraryImport(Library)]
    private static partial CudaError cuGetErrorString(CudaError error, out nint text);

    [LibraryImport(Library)]
    private static partial CudaError cuInit(uint flags);

    [LibraryImport(Library)]
    private static partial CudaError cuDriverGetVersion(out int version);

    [LibraryImport(Library)]
    private static partial CudaError cuDeviceGetCount(out int count);

    [LibraryImport(Library)]
    private static partial CudaError cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Library)]
    private static partial CudaError cuDevicePrimaryCtxRetain(out nint context, int device);

    [LibraryImport(Library)]
    private static partial CudaError cuDevicePrimaryCtxRelease_v2(int device);

    [LibraryImport(Library)]
    private static partial CudaError cuCtxPushCurrent_v2(nint context);

    [LibraryImport(Library)]
    private static partial CudaError cuCtxPopCurrent_v2(out nint context);

    [LibraryImport(Library)]
    private static partial CudaError cuStreamCreate(out nint stream, uint flags);

    [LibraryImport(Library)]
    private static partial CudaError cuStreamSynchronize(nint stream);

    [LibraryImport(Library)]
    private static partial CudaError cuStreamWaitEvent(nint stream, nint what, uint flags);

    [LibraryImport(Library)]
    private static partial CudaError cuStreamDestroy_v2(nint stream);

    [LibraryImport(Library)]
    private static partial CudaError cuEventCreate(out nint created, uint flags);

    [LibraryImport(Library)]
    private static partial CudaError cuEventRecord(nint what, nint stream);

    [LibraryImport(Library)]
    private static partial CudaError cuEventSynchronize(nint what);

    [LibraryImport(Library)]
    private static partial CudaError cuEventDestroy_v2(nint what);

    [LibraryImport(Library)]
    private static partial CudaError cuMemGetInfo_v2(out nuint free, out nuint total);

    [LibraryImport(Library)]
    private static partial CudaError cuMemHostAlloc(out nint address, nuint bytes, uint flags);

    [LibraryImport(Library)]
    private static partial CudaError cuMemFreeHost(nint address);

    [LibraryImport(Library)]
    private static partial CudaError cuMemcpyHtoDAsync_v2(nint device, nint host, nuint bytes, nint stream);

    [LibraryImport(Library)]
    private static partial CudaError cuMemcpyDtoH_v2(nint host, nint device, nuint bytes);
}
