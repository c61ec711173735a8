using System.Runtime.InteropServices;

namespace TypedWeights.Interop.Cuda.Handles;

/// <summary>Something that a context holds: it goes before the context does, and in it.</summary>
internal abstract class CudaHandle : SafeHandle
{
    private readonly bool _holdsContext;

    protected CudaHandle(CudaContext context)
        : base(0, ownsHandle: true)
    {
        Context = context;
        context.DangerousAddRef(ref _holdsContext);
    }

    public override bool IsInvalid => handle == 0;

    protected CudaContext Context { get; }

    protected ICudaDriver Driver => Context.Driver;

    /// <summary>Takes what a call of the driver has made.</summary>
    protected void Create(Func<ICudaDriver, nint> make)
    {
        try
        {
            using (Context.Enter())
            {
                SetHandle(make(Driver));
            }
        }
        catch
        {
            // A handle that never was is not released.
            if (IsInvalid)
            {
                LetGo();
            }

            Dispose();
            throw;
        }
    }

    protected abstract void Destroy(nint value);

    protected override bool ReleaseHandle()
    {
        try
        {
            using (Context.Enter())
            {
                Destroy(handle);
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
            LetGo();
        }
    }

    private void LetGo()
    {
        if (_holdsContext)
        {
            Context.DangerousRelease();
        }
    }
}
