using System.Globalization;
using System.Runtime.InteropServices;
using TorchSharp;
using TypedWeights.Interop;
using TypedWeights.Interop.Cuda;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Cuda;

/// <summary>The tensors of a plan on one device, with their addresses. Disposing frees those that were not taken.</summary>
/// <param name="library">Makes them.</param>
/// <param name="context">The device.</param>
/// <param name="plan">The plan.</param>
internal sealed class DeviceTensorSet(IDeviceTensors library, CudaContext context, TransferPlan plan) : IDisposable
{
    private readonly DevicePlace[] _places = new DevicePlace[plan.Tensors.Count];
    private torch.Tensor?[] _tensors = new torch.Tensor?[plan.Tensors.Count];

    /// <summary>Where a tensor is.</summary>
    public DevicePlace PlaceOf(int tensor) => _places[tensor];

    /// <summary>Makes all of them.</summary>
    /// <param name="layout">The allocations.</param>
    /// <exception cref="MemoryLimitException">They do not fit.</exception>
    public void Allocate(DeviceLayout layout)
    {
        (long free, long total) = context.MemoryInfo();

        // libtorch keeps the memory of freed tensors and uses it again, but the driver counts it as used. So only a layout that can never fit is
        // an error here. libtorch decides about the rest: it frees what it keeps before it reports that memory is lacking.
        if (layout.RoomBytes > total)
        {
            throw TooLarge(layout, free, total, null);
        }

        try
        {
            for (int i = 0; i < layout.Blocks.Count; i++)
            {
                PlaceIn(layout.Blocks[i], i);
            }

            for (int i = 0; i < _tensors.Length; i++)
            {
                _tensors[i] ??= Empty(i);
            }
        }
        catch (ExternalException e) when (e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase))
        {
            throw TooLarge(layout, free, total, e);
        }
        catch (ExternalException e)
        {
            throw new WeightsException(
                $"libtorch could not allocate the {plan.Tensors.Count} tensors of {Source} on {context.Title}: {FirstLine(e)}", e);
        }
    }

    /// <summary>Hands a tensor over; called once for each tensor.</summary>
    public torch.Tensor Take(int tensor) => Interlocked.Exchange(ref _tensors[tensor], null)!;

    /// <summary>Copies bytes of a complete tensor into host memory.</summary>
    public unsafe void ReadBack(int tensor, long offset, Memory<byte> buffer)
    {
        using System.Buffers.MemoryHandle pinned = buffer.Pin();
        nint host = (nint)pinned.Pointer;
        context.Run(driver => driver.CopyToHost(host, _places[tensor].Address + (nint)offset, buffer.Length));
    }

    /// <summary>Keeps the tensors for ever, because a copy may still write to them.</summary>
    public void Abandon() => GCHandle.Alloc(Interlocked.Exchange(ref _tensors, []));

    public void Dispose()
    {
        foreach (torch.Tensor? tensor in Interlocked.Exchange(ref _tensors, []))
        {
            tensor?.Dispose();
        }
    }

    private string Source => plan.Files.Count > 0 ? plan.Files[0].Source.Display : "the checkpoint";

    private static string FirstLine(ExternalException e) => e.Message.Split('\n')[0].Trim();

    private torch.Tensor Empty(int index)
    {
        TensorInfo info = plan.Tensors[index].Info;
        torch.Tensor tensor = library.Empty(TorchLayout.Of(info.DType, info.Shape), context.Device);
        _places[index] = new DevicePlace(TensorData.Address(tensor), index);
        return tensor;
    }

    // Each tensor is over its part of the block and still not a view to libtorch: `set_` gives an existing tensor another storage. Changes of
    // one tensor do not count as changes of the others, and the block is freed with the last of them.
    private void PlaceIn(DeviceBlock block, int number)
    {
        var type = (torch.ScalarType)block.Kind;
        using torch.Tensor none = library.Empty(new TorchLayout(type, new TensorShape(0)), context.Device);
        long elementSize = none.element_size();
        using torch.Tensor memory = library.Empty(new TorchLayout(type, new TensorShape((ulong)(block.Length / elementSize))), context.Device);
        foreach ((int index, long offset) in block.Places)
        {
            TensorInfo info = plan.Tensors[index].Info;
            torch.Tensor tensor = library.Empty(new TorchLayout(type, new TensorShape(0)), context.Device);
            _tensors[index] = tensor;
            using torch.Tensor part = memory.narrow(0, offset / elementSize, info.ByteLength / elementSize);
            using torch.Tensor view = part.view(TorchLayout.Of(info.DType, info.Shape).Shape.ToInt64Array());
            tensor.set_(view);
            _places[index] = new DevicePlace(TensorData.Address(tensor), number);
        }
    }

    private MemoryLimitException TooLarge(DeviceLayout layout, long free, long total, ExternalException? inner)
    {
        string said = inner is null ? "" : $" (libtorch: {FirstLine(inner).TrimEnd('.')})";
        return new MemoryLimitException(Source, layout.RoomBytes, inner is null ? total : free, string.Create(
            CultureInfo.InvariantCulture,
            $"more than {context.Title} has: {free:N0} of its {total:N0} bytes were free{said}. "
                + $"Free memory there, use another device, or load fewer tensors (Filter, in an untyped load)."), inner);
    }
}
