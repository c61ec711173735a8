using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using TypedWeights.Memory;

namespace TypedWeights.Interop;

/// <summary>Makes tensors over existing memory, without copying: libtorch's <c>from_blob</c>.</summary>
internal static unsafe partial class TensorOverMemory
{
    private const int Cpu = 0;
    private const int AnyIndex = -1;

    /// <summary>Makes a tensor that keeps its region alive, in no dispose scope.</summary>
    /// <param name="region">The memory that its bytes are in.</param>
    /// <param name="address">Its first byte, at a multiple of its element's size.</param>
    /// <param name="layout">Its type and shape; it has at least one element.</param>
    public static torch.Tensor Create(SharedRegion region, nint address, TorchLayout layout)
    {
        // If libtorch fails, it may or may not call the deleter. Memory that is never freed does less harm than memory that is freed twice.
        region.AddTensor(address);
        return Create(address, layout, &Release);
    }

    /// <summary>Makes a tensor over memory whose owner keeps it until the tensor has been disposed.</summary>
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
    private static void Release(nint address) => SharedRegion.ReleaseTensor(address);

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

/// <summary>
/// Memory that many tensors share, each of them with a separate storage in libtorch. It is freed with the last of them.
/// </summary>
/// <remarks>
/// Tensors over slices of one big tensor would not need this count, but libtorch counts changes for all views of a tensor together: a running
/// mean that is updated in the forward pass would make the backward pass of every other weight fail. Saving one view would write the storage
/// of all.
/// </remarks>
internal sealed class SharedRegion(NativeRegion region)
{
    // By the address of the tensor: all that libtorch passes to its deleter.
    private static readonly ConcurrentDictionary<nint, SharedRegion> ByTensor = new();

    // The creator is the first user.
    private int _users = 1;

    /// <summary>The first byte.</summary>
    public nint Address => region.Address;

    /// <summary>Counts the tensor at an address as a user, until <see cref="ReleaseTensor"/>.</summary>
    public void AddTensor(nint address)
    {
        Interlocked.Increment(ref _users);
        ByTensor[address] = this;
    }

    /// <summary>Counts one user less; the last one's call frees the memory.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            region.Dispose();
        }
    }

    /// <summary>The same for the tensor at an address.</summary>
    public static void ReleaseTensor(nint address)
    {
        // Removed first: another region may get the address as soon as this one is freed.
        if (ByTensor.TryRemove(address, out SharedRegion? region))
        {
            region.Release();
        }
    }
}

/// <summary>The address of the first byte of a tensor, on its device.</summary>
internal static partial class TensorData
{
    /// <remarks>The members of TorchSharp that return the bytes copy them, end at 2 GiB, or do not support bfloat16.</remarks>
    public static nint Address(torch.Tensor tensor)
    {
        nint address = THSTensor_data(tensor.Handle);
        GC.KeepAlive(tensor);
        return address;
    }

    [LibraryImport("LibTorchSharp")]
    private static partial nint THSTensor_data(nint handle);
}
