using TypedWeights.Devices.Cuda.Staging;
using TypedWeights.Interop.Cuda.Handles;
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
    public async Task Waiting_loads_get_buffers_in_order_and_a_cancelled_wait_is_skipped()
    {
        using CudaContext context = CudaContext.Retain(_gpu.Driver, 0);
        using PinnedRing ring = Ring(context, 1);
        using RingShare share = ring.Open();
        RingBuffer held = await share.TakeAsync(Token);
        using var cancel = new CancellationTokenSource();
        Task<RingBuffer>[] waiting = [.. new[] { Token, cancel.Token, Token }.Select(token => share.TakeAsync(token).AsTask())];
        Assert.All(waiting, task => Assert.False(task.IsCompleted));

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting[1]);
        share.GiveBack(held);
        Assert.Same(held, await waiting[0]);
        Assert.False(waiting[2].IsCompleted);
        share.GiveBack(held);

        Assert.Same(held, await waiting[2]);
    }

    [Fact]
    public async Task One_load_leaves_buffers_of_the_ring_to_other_loads()
    {
        using CudaContext context = CudaContext.Retain(_gpu.Driver, 0);
        using PinnedRing ring = Ring(context, 16);
        using RingShare greedy = ring.Open(), second = ring.Open(), third = ring.Open();

        int taken = await TakeAllAsync(greedy);
        Assert.Equal(12, taken);
        Assert.Equal(3, await TakeAllAsync(second));
        Assert.Equal(1, await TakeAllAsync(third));
    }

    [Fact]
    public void The_ring_uses_as_many_buffers_as_can_be_pinned_and_too_few_are_an_error()
    {
        using CudaContext context = CudaContext.Retain(_gpu.Driver, 0);
        _gpu.Driver.PinnedLimit = 5 * Size;
        using PinnedRing ring = Ring(context, 16);
        Assert.Equal(5, ring.Count);

        _gpu.Driver.PinnedLimit = _gpu.Driver.PinnedBytes + (3 * Size);
        WeightsException error = Assert.Throws<WeightsException>(() => Ring(context, 16));
        Assert.Contains("locks no 16,384 bytes of memory for copies to cuda:0", error.Message, StringComparison.Ordinal);
        Assert.Contains("StagingSize", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_buffer_that_is_returned_after_the_ring_was_disposed_is_freed()
    {
        using (CudaContext context = CudaContext.Retain(_gpu.Driver, 0))
        {
            PinnedRing ring = Ring(context, 2);
            RingShare share = ring.Open();
            RingBuffer held = await share.TakeAsync(Token);
            ring.Dispose();
            Assert.Equal(Size, _gpu.Driver.PinnedBytes);
            await Assert.ThrowsAsync<ObjectDisposedException>(async () => await share.TakeAsync(Token));

            share.GiveBack(held);
        }

        _gpu.AssertNothingLeft();
    }

    [Fact]
    public async Task A_failed_load_ends_its_waits_for_buffers_with_its_error()
    {
        using CudaContext context = CudaContext.Retain(_gpu.Driver, 0);
        using PinnedRing ring = Ring(context, 1);
        using RingShare share = ring.Open();
        await share.TakeAsync(Token);
        Task<RingBuffer> waiting = share.TakeAsync(Token).AsTask();

        share.Fail(() => new WeightsException("it broke"));

        Assert.Equal("it broke", (await Assert.ThrowsAsync<WeightsException>(() => waiting)).Message);
        Assert.Equal("it broke", (await Assert.ThrowsAsync<WeightsException>(async () => await share.TakeAsync(Token))).Message);
    }

    [Fact]
    public async Task Waiting_for_buffers_that_are_lost_for_good_ends_with_an_error()
    {
        using CudaContext context = CudaContext.Retain(_gpu.Driver, 0);
        using PinnedRing ring = Ring(context, 2);
        using RingShare lost = ring.Open(), share = ring.Open();
        RingBuffer held = await lost.TakeAsync(Token);
        RingBuffer other = await share.TakeAsync(Token);
        Task<RingBuffer> waiting = share.TakeAsync(Token).AsTask();

        lost.Abandon();
        Assert.False(waiting.IsCompleted);
        share.GiveBack(other);
        Assert.Same(other, await waiting);

        waiting = lost.TakeAsync(Token).AsTask();
        share.Abandon();
        Assert.Contains("Load again", (await Assert.ThrowsAsync<WeightsException>(
            () => waiting.WaitAsync(TimeSpan.FromSeconds(10), Token))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<WeightsException>(async () => await lost.TakeAsync(Token));

        ring.Grow(context, TransferPlan.OfFile(1 << 20, new PartLimits(Size, 0, 1)));
        lost.GiveBack(await lost.TakeAsync(Token));
        GC.KeepAlive((held, other));
    }

    private static async Task<int> TakeAllAsync(RingShare share)
    {
        using var cancel = new CancellationTokenSource();
        for (int taken = 0; ; taken++)
        {
            ValueTask<RingBuffer> next = share.TakeAsync(cancel.Token);
            if (!next.IsCompleted)
            {
                await cancel.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await next);
                return taken;
            }

            await next;
        }
    }

    private static PinnedRing Ring(CudaContext context, int buffers)
    {
        var ring = new PinnedRing(new StagingLimits(Size, buffers));
        ring.Grow(context, TransferPlan.OfFile(1 << 20, new PartLimits(Size, 0, 1)));
        return ring;
    }
}
