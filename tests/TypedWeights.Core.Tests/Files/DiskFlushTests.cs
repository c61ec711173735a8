using TypedWeights.Files;

namespace TypedWeights.Tests.Files;

public sealed class DiskFlushTests
{
    [Fact]
    public async Task Cancelling_a_flush_does_not_wait_for_the_disk()
    {
        using var begun = new SemaphoreSlim(0);
        using var disk = new ManualResetEventSlim();
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task flush = DiskFlush.RunAsync(
            () =>
            {
                begun.Release();
                disk.Wait(TestContext.Current.CancellationToken);
            },
            cancellation.Token);
        await begun.WaitAsync(TestContext.Current.CancellationToken);

        await cancellation.CancelAsync();

        // The disk is not done before this line is reached.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flush);
        disk.Set();
    }

    [Fact]
    public async Task A_disk_failure_during_a_flush_is_thrown()
    {
        await Assert.ThrowsAsync<IOException>(
            () => DiskFlush.RunAsync(() => throw new IOException("no disk"), TestContext.Current.CancellationToken));
    }
}
