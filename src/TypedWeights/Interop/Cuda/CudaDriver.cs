using System.Runtime.CompilerServices;
using System.Text;
using TypedWeights.Interop.Cuda.Native;

namespace TypedWeights.Interop.Cuda;

/// <summary>NVIDIA's driver.</summary>
internal sealed class CudaDriver : ICudaDriver
{
    // CUDA 12.0, as its driver says it: libtorch is built with 12.8, which runs on every driver for a 12.
    private const int LeastVersion = 12000;

    private readonly Lock _lock = new();
    private volatile bool _isReady;

    public int CountDevices()
    {
        EnsureReady();
        Check(LibCuda.DeviceGetCount(out int count));
        return count;
    }

    public string NameOf(int device)
    {
        Check(LibCuda.DeviceGet(out int handle, device));
        Span<byte> name = stackalloc byte[256];
        Check(LibCuda.DeviceGetName(name, name.Length, handle));
        return Encoding.UTF8.GetString(name[..name.IndexOf((byte)0)]);
    }

    public nint RetainPrimaryContext(int device)
    {
        Check(LibCuda.DeviceGet(out int handle, device));
        Check(LibCuda.DevicePrimaryCtxRetain(out nint context, handle));
        return context;
    }

    public void ReleasePrimaryContext(int device)
    {
        Check(LibCuda.DeviceGet(out int handle, device));
        Check(LibCuda.DevicePrimaryCtxRelease(handle));
    }

    public void PushContext(nint context) => Check(LibCuda.CtxPushCurrent(context));

    public void PopContext() => Check(LibCuda.CtxPopCurrent(out _));

    public (long Free, long Total) MemoryInfo()
    {
        Check(LibCuda.MemGetInfo(out nuint free, out nuint total));
        return ((long)free, (long)total);
    }

    public nint AllocatePinned(long bytes)
    {
        Check(LibCuda.MemHostAlloc(out nint address, (nuint)bytes, LibCuda.MemHostAllocPortable));
        return address;
    }

    public void FreePinned(nint address) => Check(LibCuda.MemFreeHost(address));

    public nint CreateStream()
    {
        Check(LibCuda.StreamCreate(out nint stream, LibCuda.StreamNonBlocking));
        return stream;
    }

    public void SynchronizeStream(nint stream) => Check(LibCuda.StreamSynchronize(stream));

    public void DestroyStream(nint stream) => Check(LibCuda.StreamDestroy(stream));

    public nint CreateEvent()
    {
        Check(LibCuda.EventCreate(out nint created, LibCuda.EventBlockingSync | LibCuda.EventDisableTiming));
        return created;
    }

    public void RecordEvent(nint what, nint stream) => Check(LibCuda.EventRecord(what, stream));

    public void SynchronizeEvent(nint what) => Check(LibCuda.EventSynchronize(what));

    public void DestroyEvent(nint what) => Check(LibCuda.EventDestroy(what));

    public void WaitEvent(nint stream, nint what) => Check(LibCuda.StreamWaitEvent(stream, what, 0));

    public void CopyToDevice(nint device, nint host, long bytes, nint stream) =>
        Check(LibCuda.MemcpyHtoDAsync(device, host, (nuint)bytes, stream));

    public void CopyToHost(nint host, nint device, long bytes) => Check(LibCuda.MemcpyDtoH(host, device, (nuint)bytes));

    private void EnsureReady()
    {
        if (_isReady)
        {
            return;
        }

        lock (_lock)
        {
            if (_isReady)
            {
                return;
            }

            if (!CudaLibrary.IsPresent)
            {
                throw CudaErrors.NoDriver(CudaLibrary.FileName);
            }

            try
            {
                Start();
            }
            catch (EntryPointNotFoundException e)
            {
                throw CudaErrors.DriverLacks(e);
            }

            _isReady = true;
        }
    }

    private static void Start()
    {
        CudaError started = LibCuda.Init(0);
        if (started is CudaError.NoDevice)
        {
            throw CudaErrors.NoDevice();
        }

        if (started is CudaError.SystemDriverMismatch or CudaError.CompatNotSupportedOnDevice)
        {
            throw CudaErrors.DriverMismatch(LibCuda.NameOf(started));
        }

        Check(started, "Init(0)");
        Check(LibCuda.DriverGetVersion(out int version));
        if (version < LeastVersion)
        {
            throw CudaErrors.DriverTooOld(version, LeastVersion);
        }
    }

    private static void Check(CudaError error, [CallerArgumentExpression(nameof(error))] string call = "")
    {
        if (error != CudaError.Success)
        {
            throw new CudaException(
                error, "cu" + call.Replace("LibCuda.", "", StringComparison.Ordinal), LibCuda.NameOf(error), LibCuda.WordsFor(error));
        }
    }
}
