using System.Diagnostics;
using TorchSharp;
using TypedWeights.Devices.Cuda;
using TypedWeights.Interop.Cuda.Handles;
using TypedWeights.Streaming.Limits;

namespace TypedWeights.GpuBench;

/// <summary>What bench/gpu.sh prints: every figure beside the limit that it is held against.</summary>
internal static class Measurements
{
    private const int Missing = 3;

    /// <summary>Says whether a GPU can be used at all, and with tensors.</summary>
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
        Print("copies from page-locked memory", pinned, null);
        Print("copies from pageable memory", pageable, null);
        foreach ((string name, string from) in new[] { ("file in the page cache", path), ("loopback HTTP", url) })
        {
            double source = await BestAsync(rounds, () => EngineRun.RunAsync(from, static () => new DroppingSink()));
            double limit = Math.Min(source, pinned);
            Print($"{name}, read and dropped", source, null);
            Print($"{name} to the driver's memory", await BestAsync(rounds, () => EngineRun.RunAsync(from, () => new DriverSink(engine, context))), limit);
            if (TorchProblem() is null)
            {
                await WithTensorsAsync(name, from, limit, rounds);
            }
        }

        return 0;
    }

    private static async Task WithTensorsAsync(string name, string from, double limit, int rounds)
    {
        using (torch.zeros(1 << 20, device: new torch.Device(DeviceType.CUDA, 0)))
        {
            // libtorch and the driver have what they need from here on.
        }

        long baseline = HostMemory.Now;
        HostMemory.ForgetPeak();
        await using WeightLoader loader = new WeightLoaderBuilder().Build();
        foreach (TensorStorage storage in new[] { TensorStorage.Arena, TensorStorage.PerTensor })
        {
            double rate = await BestAsync(rounds, async () =>
            {
                long start = Stopwatch.GetTimestamp();
                using WeightSet weights = await loader.LoadTensorsAsync(from, new() { Device = new torch.Device(DeviceType.CUDA, 0), Storage = storage });
                double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                return weights.Values.Sum(static tensor => tensor.numel() * tensor.element_size()) / seconds;
            });
            Print($"{name} to tensors, {storage}", rate, limit);
        }

        Console.WriteLine($"{name}, host memory above the baseline: {(HostMemory.Peak - baseline) / 1048576.0:F0} MiB (to reach: 256)");
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

    private static async Task<double> BestAsync(int rounds, Func<Task<double>> measure)
    {
        double best = 0;
        for (int round = 0; round <= rounds; round++)
        {
            best = Math.Max(best, await measure());
        }

        return best;
    }

    private static void Print(string what, double rate, double? limit) =>
        Console.WriteLine($"{what}: {rate / 1e9:F2} GB/s{(limit is { } most ? $" ({rate / most:F2} of the limit {most / 1e9:F2})" : "")}");

    private static CudaEngine Engine(IDeviceTensors tensors) =>
        new(() => CudaBackend.System with { Tensors = tensors }, StagingLimits.For(new TransferOptions()));

    /// <summary>For what is measured without tensors.</summary>
    private sealed class NoTensors : IDeviceTensors
    {
        public void EnsureUsable()
        {
            // Nothing is made.
        }

        public torch.Tensor Empty(Interop.TorchLayout layout, int device) => throw new NotSupportedException();
    }
}
