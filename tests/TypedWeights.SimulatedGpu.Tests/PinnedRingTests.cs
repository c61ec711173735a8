using TypedWeights.Devices.Cuda;
using TypedWeights.Interop.Cuda;
using TypedWeights.Memory;
using TypedWeights.Tests.Simulation;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Tests;

public sealed class PinnedRingTests : IDisposable
{
    private const int Size = 4096;

    private readonly SimulatedGpu _gpu = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _gpu.Dispose();

    [Fact]
    public async Task Waiting_tasks_get_buffers_in_order_and_a_cancelled_wait_is_skipped()
    {
        using var context = new CudaContext(_gpu.Driver, 0);
        using PinnedRing ring = Ring(context, 1);
        NativeMemoryManager held = await ring.TakeAsync(Token);
        using var cancel = new CancellationTokenSource();
        Task<NativeMemoryManager>[] waiting = [.. new[] { Token, cancel.Token, Token }.Select(token => ring.TakeAsync(token).AsTask())];
        Assert.All(waiting, task => Assert.False(task.IsCompleted));

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting[1]);
        ring.Return(held);
        Assert.Same(held, await waiting[0]);
        Assert.False(waiting[2].IsCompleted);
        ring.Return(held);

        Assert.Same(held, await waiting[2]);
    }

    [Fact]
    public void The_ring_uses_as_many_buffers_as_can_be_pinned_and_too_few_are_an_error()
    {
        using var context = new CudaContext(_gpu.Driver, 0);
        _gpu.Driver.PinnedLimit = 5 * Size;
        using PinnedRing ring = Ring(context, 16);
        Assert.Equal(5 * Size, _gpu.Driver.PinnedBytes);

        _gpu.Driver.PinnedLimit = _gpu.Driver.PinnedBytes + (3 * Size);
        WeightsException error = Assert.Throws<WeightsException>(() => Ring(context, 16));
        Assert.Contains("Could not pin 16,384 bytes of host memory for copies to cuda:0", error.Message, StringComparison.Ordinal);
        Assert.Contains("StagingSize", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_buffer_that_is_returned_after_the_ring_was_disposed_is_freed()
    {
        using (var context = new CudaContext(_gpu.Driver, 0))
        {
            PinnedRing ring = Ring(context, 2);
            NativeMemoryManager held = await ring.TakeAsync(Token);
            ring.Dispose();
            Assert.Equal(Size, _gpu.Driver.PinnedBytes);
            await Assert.ThrowsAsync<ObjectDisposedException>(async () => await ring.TakeAsync(Token));

            ring.Return(held);
        }

        _gpu.AssertNothingLeft();
    }

    private static PinnedRing Ring(CudaContext context, int buffers)
    {
        var ring = new PinnedRing(new StagingLimits(Size, buffers));
        ring.Grow(context, TransferPlan.OfFile(1 << 20, new PartLimits(Size, 0, 1)));
        return ring;
    }
}
