namespace TypedWeights.Interop.Cuda.Handles;

/// <summary>A stream of its own: what is put into it runs in order, and independently of libtorch's default stream.</summary>
internal sealed class CudaStream : CudaHandle
{
    public CudaStream(CudaContext context)
        : base(context) => Create(static driver => driver.CreateStream());

    /// <summary>Puts a copy from page-locked memory into it.</summary>
    public void Copy(nint device, nint host, long bytes)
    {
        using (Context.Enter())
        {
            Driver.CopyToDevice(device, host, bytes, handle);
        }
    }

    /// <summary>Marks its end as it is now.</summary>
    public void Record(CudaEvent mark)
    {
        using (Context.Enter())
        {
            Driver.RecordEvent(mark.DangerousGetHandle(), handle);
        }
    }

    /// <summary>Lets what comes from now on wait for a mark, without waiting itself.</summary>
    public void WaitFor(CudaEvent mark)
    {
        using (Context.Enter())
        {
            Driver.WaitEvent(handle, mark.DangerousGetHandle());
        }
    }

    /// <summary>Waits until all of it is done.</summary>
    public void Synchronize()
    {
        using (Context.Enter())
        {
            Driver.SynchronizeStream(handle);
        }
    }

    protected override void Destroy(nint value) => Driver.DestroyStream(value);
}
