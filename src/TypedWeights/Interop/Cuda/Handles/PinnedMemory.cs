namespace TypedWeights.Interop.Cuda.Handles;

/// <summary>Page-locked host memory, which a card reads by itself.</summary>
internal sealed class PinnedMemory : CudaHandle
{
    public PinnedMemory(CudaContext context, int bytes)
        : base(context) => Create(driver => driver.AllocatePinned(bytes));

    /// <summary>The first byte.</summary>
    public nint Address => handle;

    protected override void Destroy(nint value) => Driver.FreePinned(value);
}
