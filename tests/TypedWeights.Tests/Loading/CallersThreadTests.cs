using System.Collections.Concurrent;
using TypedWeights.Sources;

namespace TypedWeights.Tests.Loading;

/// <summary>The thread that calls may be the one that draws: it does no work of a load, and may wait for the end of a loader.</summary>
public sealed class CallersThreadTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_loader_can_be_disposed_on_a_thread_whose_context_runs_no_continuations()
    {
        var store = new ContextCapturing();
        WeightLoader loader = new WeightLoaderBuilder().UseSource(store).Build();

        await OnThreadOfItsOwnAsync(() =>
        {
            loader.Dispose();
            loader.Dispose();
        });

        Assert.True(store.IsDisposed);
        await loader.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => loader.LoadTensorsAsync("own://m.safetensors", cancellationToken: TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task No_part_of_a_load_runs_on_the_thread_of_the_caller()
    {
        string path = TestFile.Write(_folder["m.safetensors"], [TestFile.F32("w", [1], 1), TestFile.F32("v", [1], 1)]);
        var threads = new ConcurrentBag<int>();
        int caller = 0;
        Task<WeightSet>? load = null;
        await OnThreadOfItsOwnAsync(() =>
        {
            caller = Environment.CurrentManagedThreadId;
            load = WeightLoader.Default.LoadTensorsAsync(path, new() { Filter = Note }, cancellationToken: TestContext.Current.CancellationToken);

            // A thread that waits cannot be used again, so that its number says who ran.
            load.Wait(TestContext.Current.CancellationToken);
        });

        using WeightSet weights = await load!;
        Assert.Equal(2, weights.Count);
        Assert.NotEmpty(threads);
        Assert.DoesNotContain(caller, threads);

        bool Note(string name)
        {
            threads.Add(Environment.CurrentManagedThreadId);
            return true;
        }
    }

    [Fact]
    public async Task The_native_library_is_loaded_on_another_thread_than_the_callers()
    {
        await OnThreadOfItsOwnAsync(() => TorchNative.EnsureLoadedAsync(TestContext.Current.CancellationToken).Wait(CancellationToken.None));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => TorchNative.EnsureLoadedAsync(new CancellationToken(canceled: true)));
        Assert.True(TorchNative.EnsureLoadedAsync(TestContext.Current.CancellationToken).IsCompletedSuccessfully);
    }

    // As a UI thread is while it waits: what is posted to it never runs.
    private static Task OnThreadOfItsOwnAsync(Action action) => Task.Factory.StartNew(
        () =>
        {
            SynchronizationContext.SetSynchronizationContext(new Blocked());
            try
            {
                action();
            }
            finally
            {
                SynchronizationContext.SetSynchronizationContext(null);
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    private sealed class Blocked : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }
    }

    /// <summary>A store whose author did not think of contexts.</summary>
    private sealed class ContextCapturing : IWeightSourceProvider
    {
        public IReadOnlyList<string> Schemes => ["own"];

        public bool IsDisposed { get; private set; }

        public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken) => throw new NotSupportedException();

        public async ValueTask DisposeAsync()
        {
            await Task.Yield();
            IsDisposed = true;
        }
    }
}
