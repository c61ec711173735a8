using System.Runtime.InteropServices;
using TypedWeights.Interop.Cuda.Handles;
using TypedWeights.Interop.Cuda.Native;

namespace TypedWeights.GpuBench;

/// <summary>Device memory that the driver allocates, for measurements without libtorch.</summary>
internal sealed unsafe class DriverMemory : IDisposable
{
    private static readonly nint Library = NativeLibrary.Load(CudaLibrary.FileName);

    private readonly CudaContext _context;

    public DriverMemory(CudaContext context, long bytes)
    {
        _context = context;
        nint address = 0;
        using (context.Enter())
        {
            Check(((delegate* unmanaged<nint*, nuint, int>)NativeLibrary.GetExport(Library, "cuMemAlloc_v2"))(&address, (nuint)bytes), "cuMemAlloc");
        }

        Address = address;
    }

    public nint Address { get; }

    /// <summary>Copies from memory that is not pinned, and waits.</summary>
    public void CopyPageable(nint host, long bytes)
    {
        using (_context.Enter())
        {
            Check(
                ((delegate* unmanaged<nint, nint, nuint, int>)NativeLibrary.GetExport(Library, "cuMemcpyHtoD_v2"))(Address, host, (nuint)bytes),
                "cuMemcpyHtoD");
        }
    }

    public void Dispose()
    {
        using (_context.Enter())
        {
            _ = ((delegate* unmanaged<nint, int>)NativeLibrary.GetExport(Library, "cuMemFree_v2"))(Address);
        }
    }

    private static void Check(int error, string call)
    {
        if (error != 0)
        {
            throw new WeightsException($"{call} returned {LibCuda.NameOf((Interop.Cuda.Native.CudaError)error)}.");
        }
    }
}
