using TypedWeights.Interop.Cuda;

namespace TypedWeights.Tests.Mutations;

/// <summary>
/// A driver that passes every call on. A mutation leaves one of them out, and to what lies below it is as if the engine had never made it.
/// </summary>
internal abstract class PassThroughDriver(ICudaDriver inner) : ICudaDriver
{
    public int CountDevices() => inner.CountDevices();

    public nint RetainPrimaryContext(int device) => inner.RetainPrimaryContext(device);

    public void ReleasePrimaryContext(int device) => inner.ReleasePrimaryContext(device);

    public virtual void PushContext(nint context) => inner.PushContext(context);

    public virtual void PopContext() => inner.PopContext();

    public (long Free, long Total) MemoryInfo() => inner.MemoryInfo();

    public nint AllocatePinned(long bytes) => inner.AllocatePinned(bytes);

    public virtual void FreePinned(nint address) => inner.FreePinned(address);

    public nint CreateStream() => inner.CreateStream();

    public virtual void SynchronizeStream(nint stream) => inner.SynchronizeStream(stream);

    public virtual void DestroyStream(nint stream) => inner.DestroyStream(stream);

    public nint CreateEvent() => inner.CreateEvent();

    public virtual void RecordEvent(nint what, nint stream) => inner.RecordEvent(what, stream);

    public virtual void SynchronizeEvent(nint what) => inner.SynchronizeEvent(what);

    public virtual void DestroyEvent(nint what) => inner.DestroyEvent(what);

    public virtual void WaitEvent(nint stream, nint what) => inner.WaitEvent(stream, what);

    public virtual void CopyToDevice(nint device, nint host, long bytes, nint stream) => inner.CopyToDevice(device, host, bytes, stream);

    public void CopyToHost(nint host, nint device, long bytes) => inner.CopyToHost(host, device, bytes);
}
