using System.Globalization;
using System.Runtime.InteropServices;

namespace TypedWeights.Interop.Cuda;

/// <summary>A share in a device's primary context: the one that libtorch works in.</summary>
internal sealed class CudaContext : SafeHandle
{
    private readonly ICudaDriver _driver;

    public CudaContext(ICudaDriver driver, int device)
        : base(0, ownsHandle: true)
    {
        _driver = driver;
        Device = device;
        SetHandle(driver.RetainPrimaryContext(device));
    }

    /// <summary>The device's index.</summary>
    public int Device { get; }

    /// <summary>The device as users write it.</summary>
    public string Title => string.Create(CultureInfo.InvariantCulture, $"cuda:{Device}");

    public override bool IsInvalid => handle == 0;

    /// <summary>
    /// Makes calls with the context current on this thread. Any code may run on a thread of the pool next, so the thread is left as it was.
    /// </summary>
    public T Run<T>(Func<ICudaDriver, T> calls)
    {
        _driver.PushContext(handle);
        try
        {
            return calls(_driver);
        }
        finally
        {
            _driver.PopContext();
        }
    }

    /// <inheritdoc cref="Run{T}"/>
    public void Run(Action<ICudaDriver> calls) => Run(driver =>
    {
        calls(driver);
        return 0;
    });

    /// <summary>The device's memory, in bytes.</summary>
    public (long Free, long Total) MemoryInfo() => Run(static driver => driver.MemoryInfo());

    protected override bool ReleaseHandle()
    {
        try
        {
            _driver.ReleasePrimaryContext(Device);
            return true;
        }
        catch (CudaException)
        {
            // A lost context cannot be released.
            return false;
        }
    }
}

/// <summary>A stream, an event or pinned memory: it is released before its context, and with the context current.</summary>
internal sealed class CudaHandle : SafeHandle
{
    private readonly CudaContext _context;
    private readonly Action<ICudaDriver, nint> _destroy;
    private readonly bool _holdsContext;

    private CudaHandle(CudaContext context, Func<ICudaDriver, nint> create, Action<ICudaDriver, nint> destroy)
        : base(0, ownsHandle: true)
    {
        _context = context;
        _destroy = destroy;
        context.DangerousAddRef(ref _holdsContext);
        try
        {
            context.Run(driver => SetHandle(create(driver)));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    // Even if nothing was created, the context must be released.
    public override bool IsInvalid => false;

    /// <summary>The driver's handle; of pinned memory, its address.</summary>
    public nint Value => handle;

    /// <summary>A stream that runs independently of libtorch's default stream.</summary>
    public static CudaHandle Stream(CudaContext context) =>
        new(context, static driver => driver.CreateStream(), static (driver, stream) => driver.DestroyStream(stream));

    /// <summary>An event, which stands for a moment of a stream.</summary>
    public static CudaHandle Event(CudaContext context) =>
        new(context, static driver => driver.CreateEvent(), static (driver, what) => driver.DestroyEvent(what));

    /// <summary>Pinned host memory.</summary>
    public static CudaHandle Pinned(CudaContext context, long bytes) =>
        new(context, driver => driver.AllocatePinned(bytes), static (driver, address) => driver.FreePinned(address));

    protected override bool ReleaseHandle()
    {
        try
        {
            if (handle != 0)
            {
                _context.Run(driver => _destroy(driver, handle));
            }

            return true;
        }
        catch (CudaException)
        {
            // What a lost context held is lost with it.
            return false;
        }
        finally
        {
            if (_holdsContext)
            {
                _context.DangerousRelease();
            }
        }
    }
}
