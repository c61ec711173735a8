using System.Diagnostics;
using TypedWeights.Interop.Cuda.Handles;
using TypedWeights.Memory;

namespace TypedWeights.GpuBench;

/// <summary>The rate of the card's bus: from pinned memory in copies of one buffer of the ring, and from pageable memory.</summary>
internal static class CardLimits
{
    private const int Copy = 2 << 20;
    private const int Copies = 512;

    /// <summary>Bytes per second, the best of several rounds.</summary>
    public static (double Pinned, double Pageable) Measure(CudaContext context, int rounds)
    {
        using var device = new DriverMemory(context, Copy);
        using var stream = new CudaStream(context);
        using var pinned = new PinnedMemory(context, Copy);
        using HeapRegion pageable = HeapRegion.Allocate(Copy);
        Touch(pinned.Address);
        Touch(pageable.Address);
        double bestPinned = 0, bestPageable = 0;
        for (int round = 0; round <= rounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < Copies; i++)
            {
                stream.Copy(device.Address, pinned.Address, Copy);
            }

            stream.Synchronize();
            bestPinned = Math.Max(bestPinned, Rate(start));
            start = Stopwatch.GetTimestamp();
            for (int i = 0; i < Copies; i++)
            {
                device.CopyPageable(pageable.Address, Copy);
            }

            bestPageable = Math.Max(bestPageable, Rate(start));
        }

        return (bestPinned, bestPageable);
    }

    private static unsafe void Touch(nint address) => new Span<byte>((void*)address, Copy).Fill(1);

    private static double Rate(long start) => (double)Copy * Copies / Stopwatch.GetElapsedTime(start).TotalSeconds;
}
