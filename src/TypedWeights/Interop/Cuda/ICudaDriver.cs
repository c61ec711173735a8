namespace TypedWeights.Interop.Cuda;

/// <summary>
/// The driver's half of the seam between the engine and a GPU: the calls that the engine makes, one for one as the driver API has them.
/// Contexts, streams and events are the driver's handles; <see cref="Handles"/> owns them.
/// </summary>
/// <remarks>
/// Where nothing else is said, a call concerns the context that is current on the calling thread. Every failure is a
/// <see cref="CudaException"/>. Safe for many threads, as the driver is.
/// </remarks>
internal interface ICudaDriver
{
    /// <summary>How many devices there are. Needs no context.</summary>
    /// <exception cref="WeightsException">There is no driver, or it is too old; the message says what to install.</exception>
    int CountDevices();

    /// <summary>What a device is called. Needs no context.</summary>
    string NameOf(int device);

    /// <summary>Takes a share in the context of a device that libtorch and everybody else in the process uses. Needs no context.</summary>
    nint RetainPrimaryContext(int device);

    /// <summary>Gives the share back. Needs no context.</summary>
    void ReleasePrimaryContext(int device);

    /// <summary>Makes a context current on this thread, on top of what was.</summary>
    void PushContext(nint context);

    /// <summary>Undoes the last push of this thread.</summary>
    void PopContext();

    /// <summary>The device's memory, in bytes.</summary>
    (long Free, long Total) MemoryInfo();

    /// <summary>Allocates page-locked host memory, for all contexts.</summary>
    nint AllocatePinned(long bytes);

    void FreePinned(nint address);

    /// <summary>Makes a stream that is independent of the default stream.</summary>
    nint CreateStream();

    /// <summary>Waits until everything in the stream is done.</summary>
    void SynchronizeStream(nint stream);

    void DestroyStream(nint stream);

    nint CreateEvent();

    /// <summary>Marks the place in a stream that the event stands for from now on. 0 is the context's legacy default stream: libtorch's.</summary>
    void RecordEvent(nint what, nint stream);

    /// <summary>Waits until everything before the mark is done.</summary>
    void SynchronizeEvent(nint what);

    void DestroyEvent(nint what);

    /// <summary>Lets what is put into a stream from now on wait for the mark. Does not wait itself.</summary>
    void WaitEvent(nint stream, nint what);

    /// <summary>Puts a copy into a stream. The host memory is page-locked and stays as it is until the copy is done.</summary>
    void CopyToDevice(nint device, nint host, long bytes, nint stream);

    /// <summary>Copies to host memory of any kind, and waits for it. It waits for the default stream alone, and not for other ones.</summary>
    void CopyToHost(nint host, nint device, long bytes);
}
