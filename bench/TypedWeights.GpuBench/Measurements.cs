using System.Diagnostics;
using TorchSharp;
using TypedWeights.Devices.Cuda;
using TypedWeights.Interop.Cuda.Handles;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.GpuBench;

/// <summary>The figures that bench/gpu.sh prints, each with the limit that it is compared with.</summary>
internal static class Measurements
{
    private const int Missing = 3;
    private const int Probe = 64 << 20;

    /// <summary>Reports whether a GPU can be used at all, and whether it can be used with tensors.</summary>
    public static int Check()
    {
        using CudaEngine driver = Engine(new NoTensors());
        try
        {
            CudaContext context = driver.ContextOf(0);
            Console.WriteLine($"GPU: {context.Driver.NameOf(0)}, {context.MemoryInfo().Total / 1e9:F0} GB");
        }
        catch (WeightsException e)
        {
            Console.WriteLine($"missing: {e.Message}");
            return Missing;
        }

        Console.WriteLine(TorchProblem() is { } problem ? $"missing: {problem} The figures with tensors are left out." : "libtorch: with CUDA");
        return 0;
    }

    public static async Task<int> RunAsync(string path, string url, int rounds)
    {
        if (Check() != 0)
        {
            return Missing;
        }

        using CudaEngine engine = Engine(new NoTensors());
        CudaContext context = engine.ContextOf(0);
        (double pinned, double pageable) = CardLimits.Measure(context, rounds);
        Print("copies from pinned memory", pinned, null);
        Print("copies from pageable memory", pageable, null);
        long counted = CountedOfPinned(context);
        foreach (Place place in new Place[]
        {
            new("cold file", path, 1, () => PageCache.Forget(path)),
            new("file in the page cache", path, rounds, static () => { }),
            new("loopback HTTP", url, rounds, static () => { }),
        })
        {
            double source = await place.BestAsync(() => EngineRun.RunAsync(place.Uri, static () => new DroppingSink()));
            double limit = Math.Min(source, pinned);
            Print($"{place.Name}, read and dropped", source, null);
            double driver = await place.BestAsync(() => EngineRun.RunAsync(place.Uri, () => new DriverSink(engine, context)));
            Print($"{place.Name} to the driver's memory", driver, limit);
            if (TorchProblem() is null)
            {
                await WithTensorsAsync(place, limit, counted);
            }
        }

        return 0;
    }

    // Some systems do not count pinned memory of the driver as memory of the process. The ring must then be added to what Linux counts.
    private static long CountedOfPinned(CudaContext context)
    {
        long before = HostMemory.Now;
        using var pinned = new PinnedMemory(context, Probe);
        return HostMemory.Now - before;
    }

    private static async Task WithTensorsAsync(Place place, double limit, long counted)
    {
        using (torch.zeros(1 << 20, device: new torch.Device(DeviceType.CUDA, 0)))
        {
            // From here on, libtorch and the driver have allocated the memory that they need.
        }

        long baseline = HostMemory.Now;
        HostMemory.ForgetPeak();
        await using WeightLoader loader = new WeightLoaderBuilder().Build();
        foreach (TensorStorage storage in new[] { TensorStorage.Arena, TensorStorage.PerTensor })
        {
            double rate = await place.BestAsync(async () =>
            {
                long start = Stopwatch.GetTimestamp();
                using WeightSet weights = await loader.LoadTensorsAsync(
                    place.Uri, new() { Device = new torch.Device(DeviceType.CUDA, 0), Storage = storage });
                double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                return weights.Values.Sum(static tensor => tensor.numel() * tensor.element_size()) / seconds;
            });
            Print($"{place.Name} to tensors, {storage}", rate, limit);
        }

        long ring = counted > Probe / 2 ? 0 : new TransferOptions().StagingSize;
        Console.WriteLine(
            $"{place.Name}, host memory above the baseline: {(HostMemory.Peak - baseline + ring) / 1048576.0:F0} MiB (target: 256), "
                + (ring == 0 ? "including the ring" : "including the ring, which the system does not count"));
    }

    private static string? TorchProblem()
    {
        try
        {
            TorchNative.EnsureLoaded();
            new TorchTensors().EnsureUsable();
            return null;
        }
        catch (WeightsException e)
        {
            return e.Message;
        }
    }

    private static void Print(string what, double rate, double? limit) =>
        Console.WriteLine($"{what}: {rate / 1e9:F2} GB/s{(limit is { } most ? $" ({rate / most:F2} of the limit {most / 1e9:F2})" : "")}");

    private static CudaEngine Engine(IDeviceTensors tensors) =>
        new(() => CudaBackend.System with { Tensors = tensors }, StagingLimits.For(new TransferOptions()));

    /// <summary>A source of the bytes.</summary>
    /// <param name="Name">The name in the output.</param>
    /// <param name="Uri">The path or URL.</param>
    /// <param name="Rounds">How often each rate is measured, after a first round.</param>
    /// <param name="Before">Runs before each round.</param>
    private sealed record Place(string Name, string Uri, int Rounds, Action Before)
    {
        public async Task<double> BestAsync(Func<Task<double>> measure)
        {
            double best = 0;
            for (int round = 0; round <= Rounds; round++)
            {
                Before();
                best = Math.Max(best, await measure());
            }

            return best;
        }
    }

    /// <summary>For measurements without tensors.</summary>
    private sealed class NoTensors : IDeviceTensors
    {
        public void EnsureUsable()
        {
            // No tensors are created.
        }

        public torch.Tensor Empty(Interop.TorchLayout layout, int device) => throw new NotSupportedException();
    }
}
