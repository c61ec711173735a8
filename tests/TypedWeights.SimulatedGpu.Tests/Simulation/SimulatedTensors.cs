using TorchSharp;
using TypedWeights.Devices.Cuda;
using TypedWeights.Interop;
using TypedWeights.Memory;

namespace TypedWeights.Tests.Simulation;

/// <summary>
/// libtorch's half of the seam: CPU tensors over simulated device memory. What it gives out may be read by a kernel of torch's stream
/// still, as memory that has just been freed may.
/// </summary>
internal sealed class SimulatedTensors(SimulatedGpu gpu) : IDeviceTensors
{
    public WeightsException? Unusable { get; set; }

    public void EnsureUsable()
    {
        if (Unusable is { } error)
        {
            throw error;
        }
    }

    public torch.Tensor Empty(TorchLayout layout, int device)
    {
        using torch.Tensor like = torch.empty([0], layout.ScalarType).DetachFromDisposeScope();
        long[] shape = layout.Shape.ToInt64Array();
        long bytes = shape.Aggregate(like.element_size(), static (product, dimension) => product * dimension);
        if (bytes == 0)
        {
            return torch.empty(shape, layout.ScalarType).DetachFromDisposeScope();
        }

        gpu.Faults.MeetTensor(bytes);
        var region = new SharedRegion(Allocate(gpu.Devices[device], bytes));
        try
        {
            return TensorOverMemory.Create(region, region.Address, layout);
        }
        finally
        {
            region.Release();
        }
    }

    private unsafe Block Allocate(SimulatedDevice device, long bytes)
    {
        lock (gpu.Gate)
        {
            nint address = device.TryAllocate(bytes);
            if (address == 0)
            {
                throw SimulatedFaults.OutOfMemory(bytes);
            }

            new Span<byte>((void*)address, checked((int)bytes)).Fill(SimulatedDevice.Poison);
            if (gpu.Random.Next(2) == 0)
            {
                Read(device, address, bytes);
            }

            return new Block(gpu, device, address, bytes);
        }
    }

    // A kernel that somebody launched before he freed this memory.
    private void Read(SimulatedDevice device, nint address, long bytes)
    {
        SimulatedStream stream = device.DefaultStream;
        stream.Clock.Add(stream.Id, ++stream.Count);
        gpu.Work.AddKernel(new SimulatedWork.Item(stream.Id, stream.Count, address, 0, bytes));
        stream.Enqueue(static () => { }, isSlow: true);
    }

    private sealed unsafe class Block(SimulatedGpu gpu, SimulatedDevice device, nint address, long length) : NativeRegion(address, length)
    {
        protected override void Free()
        {
            lock (gpu.Gate)
            {
                if (gpu.Work.IsCopiedTo(Address, Length))
                {
                    gpu.Violate("device memory is freed under a copy that nobody has seen the end of");
                }

                new Span<byte>((void*)Address, (int)Length).Fill(SimulatedDevice.Poison);
                device.GiveBack(Address);
            }
        }
    }
}
