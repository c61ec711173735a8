namespace TypedWeights.Interop.Cuda;

/// <summary>
/// The driver: the calls that the engine makes, one for one as the driver API has them.
/// Contexts, streams and events are the driver's handles; <see cref="CudaContext"/> and <see cref="CudaHandle"/> own them.
/// </summary>
/// <remarks>
/// Unless a call says that it needs no context, it concerns the context that is current on the calling thread. Every failure is a
/// <see cref="CudaException"/>. Safe for many threads, as the driver is.
/// </remarks>
internal interface ICudaDriver
{
    /// <summary>The number of devices. Needs no context.</summary>
    /// <exception cref="WeightsException">There is no driver, or it is too old; the message says what to install.</exception>
    int CountDevices();

    /// <summary>Takes a share in the context of a device that libtorch and all other code of the process use. Needs no context.</summary>
    nint RetainPrimaryContext(int device);

    /// <summary>Returns the share. Needs no context.</summary>
    void ReleasePrimaryContext(int device);

    /// <summary>Makes a context current on this thread, on top of the one before.</summary>
    void PushContext(nint context);

    /// <summary>Undoes the last push of this thread.</summary>
    void PopContext();

    /// <summary>The device's memory, in bytes.</summary>
    (long Free, long Total) MemoryInfo();

    /// <summary>Allocates pinned host memory, for all contexts.</summary>
    nint AllocatePinned(long bytes);

    void FreePinned(nint address);

    /// <summary>Makes a stream that is independent of the default stream.</summary>
    nint CreateStream();

    /// <summary>Waits until everything in the stream is done.</summary>
    void SynchronizeStream(nint stream);

    void DestroyStream(nint stream);

    nint CreateEvent();

    /// <summary>Makes the event stand for the end of a stream as it is now. 0 is the context's legacy default stream: libtorch's.</summary>
    void RecordEvent(nint what, nint stream);

    /// <summary>Waits until everything before the event is done.</summary>
    void SynchronizeEvent(nint what);

    void DestroyEvent(nint what);

    /// <summary>Makes the work that is put into a stream from now on wait for the event. The call itself does not wait.</summary>
    void WaitEvent(nint stream, nint what);

    /// <summary>Puts a copy into a stream. The host memory is pinned and does not change until the copy is done.</summary>
    void CopyToDevice(nint device, nint host, long bytes, nint stream);

    /// <summary>Copies to host memory of any kind, and waits for it. It waits for the default stream alone, and not for other streams.</summary>
    void CopyToHost(nint host, nint device, long bytes);
}
