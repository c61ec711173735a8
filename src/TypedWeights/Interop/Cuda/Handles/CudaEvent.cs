namespace TypedWeights.Interop.Cuda.Handles;

/// <summary>A mark in a stream that can be waited for.</summary>
internal sealed class CudaEvent : CudaHandle
{
    // The legacy default stream, the only one that libtorch uses under TorchSharp.
    private const nint DefaultStream = 0;

    public CudaEvent(CudaContext context)
        : base(context) => Create(static driver => driver.CreateEvent());

    /// <summary>Marks the end of libtorch's stream as it is now.</summary>
    public void RecordOnDefaultStream()
    {
        using (Context.Enter())
        {
            Driver.RecordEvent(handle, DefaultStream);
        }
    }

    /// <summary>Waits until everything before the mark is done.</summary>
    public void Synchronize()
    {
        using (Context.Enter())
        {
            Driver.SynchronizeEvent(handle);
        }
    }

    protected override void Destroy(nint value) => Driver.DestroyEvent(value);
}
