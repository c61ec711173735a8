using System.Globalization;
using System.Runtime.InteropServices;

namespace TypedWeights.Interop.Cuda.Handles;

/// <summary>A share in a device's primary context: the one that libtorch works in.</summary>
internal sealed class CudaContext : SafeHandle
{
    private CudaContext(ICudaDriver driver, int device)
        : base(0, ownsHandle: true)
    {
        Driver = driver;
        Device = device;
        SetHandle(driver.RetainPrimaryContext(device));
    }

    public ICudaDriver Driver { get; }

    /// <summary>The device's index.</summary>
    public int Device { get; }

    /// <summary>The device as users write it.</summary>
    public string Title => string.Create(CultureInfo.InvariantCulture, $"cuda:{Device}");

    public override bool IsInvalid => handle == 0;

    public static CudaContext Retain(ICudaDriver driver, int device) => new(driver, device);

    /// <summary>
    /// Makes it the thread's context until the result is disposed, on the same thread. A thread of the pool is everybody's: it is left as
    /// it was found.
    /// </summary>
    public Current Enter()
    {
        Driver.PushContext(handle);
        return new Current(Driver);
    }

    /// <summary>The device's memory, in bytes.</summary>
    public (long Free, long Total) MemoryInfo()
    {
        using (Enter())
        {
            return Driver.MemoryInfo();
        }
    }

    protected override bool ReleaseHandle()
    {
        try
        {
            Driver.ReleasePrimaryContext(Device);
            return true;
        }
        catch (CudaException)
        {
            // A context that is lost cannot be given back, and nobody else wants it.
            return false;
        }
    }

    /// <summary>The time in which the context is the thread's.</summary>
    internal readonly ref struct Current(ICudaDriver driver)
    {
        public void Dispose() => driver.PopContext();
    }
}
