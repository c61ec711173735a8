using Microsoft.Win32.SafeHandles;
using TypedWeights.Memory;
using TypedWeights.Sources.File;

namespace TypedWeights.Tests.Sources;

public sealed class DiskReadsTests : IDisposable
{
    private const int Large = 1 << 20;

    // Never touched; its length alone counts.
    private static readonly Memory<byte> Unbacked = new NativeMemoryManager(0, int.MaxValue).Memory;

    private readonly TempFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_file_whose_reads_wait_for_the_disk_is_read_outside_the_thread_pool_until_the_waits_end()
    {
        using SafeFileHandle file = Open(new byte[4 * Large]);
        TimeSpan wait = TimeSpan.Zero;
        var isOfPool = new List<bool>();
        var reads = new DiskReads((handle, memory, position) =>
        {
            isOfPool.Add(Thread.CurrentThread.IsThreadPoolThread);
            Thread.Sleep(wait);

            // So much in no time is a copy, however busy the machine is; a megabyte in 50 ms is none.
            return memory.Length;
        });

        await reads.ReadAsync(file, Unbacked, 0, Token);
        Assert.False(reads.IsCold);
        wait = TimeSpan.FromMilliseconds(50);
        await reads.ReadAsync(file, new byte[Large], 0, Token);
        Assert.True(reads.IsCold);
        await reads.ReadAsync(file, new byte[Large], 0, Token);
        await reads.ReadAsync(file, new byte[8], 0, Token);
        wait = TimeSpan.Zero;
        await reads.ReadAsync(file, Unbacked, 0, Token);
        await reads.ReadAsync(file, Unbacked, 0, Token);

        Assert.Equal([true, true, false, true, false, true], isOfPool);
    }

    [Theory]
    [InlineData(true, int.MaxValue)]
    [InlineData(false, int.MaxValue)]
    [InlineData(true, 8)]
    [InlineData(false, 8)]
    public async Task A_cached_read_runs_on_a_thread_of_the_pool_and_on_the_calling_thread_if_that_is_one(bool fromPool, int length)
    {
        using SafeFileHandle file = Open(new byte[Large]);
        Thread? reader = null;
        var reads = new DiskReads((_, memory, _) =>
        {
            reader = Thread.CurrentThread;
            return memory.Length;
        });
        Thread? caller = null;
        Task<int>? read = null;
        if (fromPool)
        {
            await Task.Run(Call, Token);
        }
        else
        {
            var own = new Thread(Call);
            own.Start();
            own.Join();
        }

        Assert.Equal(length, await read!);
        Assert.Equal(fromPool, ReferenceEquals(reader, caller));
        Assert.True(reader!.IsThreadPoolThread);

        void Call()
        {
            caller = Thread.CurrentThread;
            read = reads.ReadAsync(file, Unbacked[..length], 0, Token).AsTask();
        }
    }

    [Fact]
    public async Task Reads_return_the_bytes_of_the_file_and_zero_at_its_end()
    {
        byte[] bytes = new byte[Large + 10];
        new Random(1).NextBytes(bytes);
        using SafeFileHandle file = Open(bytes);
        var reads = new DiskReads();
        byte[] large = new byte[2 * Large];
        byte[] small = new byte[100];

        Assert.Equal(Large + 10, await reads.ReadAsync(file, large, 0, Token));
        Assert.True(large.AsSpan(0, bytes.Length).SequenceEqual(bytes));
        Assert.Equal(10, await reads.ReadAsync(file, small, Large, Token));
        Assert.Equal(bytes[Large..], small[..10]);
        Assert.Equal(0, await reads.ReadAsync(file, large, bytes.Length, Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => reads.ReadAsync(file, large, 0, new CancellationToken(canceled: true)).AsTask());
    }

    private SafeFileHandle Open(byte[] bytes)
    {
        File.WriteAllBytes(_folder["f"], bytes);
        return File.OpenHandle(_folder["f"]);
    }
}
