using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace TypedWeights.Interop;

/// <summary>Makes tensors over memory that is there already, without copying: libtorch's <c>from_blob</c>.</summary>
internal static unsafe partial class TensorOverMemory
{
    private const int Cpu = 0;
    private const int AnyIndex = -1;

    /// <summary>Makes a tensor that keeps its region alive, in no dispose scope.</summary>
    /// <param name="region">Where its bytes lie.</param>
    /// <param name="address">Its first byte, at a multiple of its element's size.</param>
    /// <param name="layout">Its type and shape; it has at least one element.</param>
    public static torch.Tensor Create(SharedRegion region, nint address, TorchLayout layout)
    {
        // libtorch may call back or not when it fails, depending on how far it came. The count stays then: memory that is never given
        // back does less harm than memory that is given back twice.
        region.AddUser();
        return Create(address, layout, &Release);
    }

    /// <summary>Makes a tensor over somebody else's memory, who keeps it until the tensor has been disposed.</summary>
    /// <param name="address">Its first byte, at a multiple of its element's size.</param>
    /// <param name="layout">Its type and shape; it has at least one element.</param>
    public static torch.Tensor Borrow(nint address, TorchLayout layout) => Create(address, layout, &Keep);

    private static torch.Tensor Create(nint address, TorchLayout layout, delegate* unmanaged[Cdecl]<nint, void> deleter)
    {
        nint handle;
        sbyte type = (sbyte)layout.ScalarType;
        fixed (ulong* shape = layout.Shape.Dimensions)
        {
            handle = THSTensor_new(address, deleter, shape, layout.Shape.Rank, type, type, Cpu, AnyIndex, requiresGrad: 0);
        }

        if (handle == 0)
        {
            torch.CheckForErrors();
        }

        return torch.Tensor.UnsafeCreateTensor(handle).DetachFromDisposeScope();
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Release(nint address) => SharedRegion.Release(address);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Keep(nint address)
    {
    }

    [LibraryImport("LibTorchSharp")]
    private static partial nint THSTensor_new(
        nint data,
        delegate* unmanaged[Cdecl]<nint, void> deleter,
        ulong* shape,
        int rank,
        sbyte elementType,
        sbyte tensorType,
        int deviceType,
        int deviceIndex,
        byte requiresGrad);
}
