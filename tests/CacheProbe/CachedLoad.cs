using System.Security.Cryptography;
using TypedWeights;
using TypedWeights.Caching;
using TypedWeights.Checkpoints;
using TypedWeights.Opening;
using TypedWeights.Sources;
using TypedWeights.Sources.Urls;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;
using TypedWeights.Transfer.Retry;
using TypedWeights.Transfer.Scheduling;

namespace CacheProbe;

/// <summary>One load through a cache, into memory.</summary>
internal static class CachedLoad
{
    private static readonly TransferOptions Options = new() { MinConnections = 4, MaxConnections = 4, PartSize = 256 << 10 };

    public static async Task RunAsync(string uri, string folder)
    {
        var registry = new SourceRegistry(new TransferContext(Options), [new UrlProvider()]);
        var cache = new LocalCache(folder, new LocalCacheOptions()) { Noted = (_, message, _) => Console.WriteLine($"note {message}") };
        await using (registry.ConfigureAwait(false))
        await using (cache.ConfigureAwait(false))
        {
            // What is compiled at first use is compiled before the clock of a test starts.
            CacheRun? run = cache.Begin(null, uri, checksAll: false);
            Console.WriteLine("ready");
            Console.ReadLine();
            Console.WriteLine($"loaded {await LoadAsync(registry, run, uri, Options).ConfigureAwait(false)}");
            Console.WriteLine($"cached {run is not null && await run.FinishAsync().ConfigureAwait(false)}");
        }
    }

    /// <summary>A load that sends no request.</summary>
    public static async Task RunOfflineAsync(string uri, string folder)
    {
        var registry = new SourceRegistry(new TransferContext(Options), [new UrlProvider()]);
        var cache = new LocalCache(folder, new LocalCacheOptions { TrustFolder = true });
        await using (registry.ConfigureAwait(false))
        await using (cache.ConfigureAwait(false))
        {
            try
            {
                CacheRun run = cache.Begin(CacheMode.Offline, uri, checksAll: false)!;
                Console.WriteLine($"loaded {await LoadAsync(registry, run, uri, Options).ConfigureAwait(false)}");
            }
            catch (WeightSourceException e)
            {
                Console.WriteLine($"failed {e.Message}");
            }
        }
    }

    /// <summary>Loads by several loaders at once, each with connections of its own, and without a cache.</summary>
    public static async Task RunManyAsync(string uri, int loads)
    {
        string[] results = await Task.WhenAll(Enumerable.Range(0, loads).Select(_ => Task.Run(async () =>
        {
            var options = new TransferOptions { PartSize = 64 << 10 };
            var registry = new SourceRegistry(new TransferContext(options), [new UrlProvider()]);
            await using (registry.ConfigureAwait(false))
            {
                try
                {
                    return $"loaded {await LoadAsync(registry, run: null, uri, options).ConfigureAwait(false)}";
                }
                catch (WeightSourceException e)
                {
                    return $"failed {e.Message}";
                }
            }
        }))).ConfigureAwait(false);
        Array.ForEach(results, Console.WriteLine);
    }

    private static async Task<string> LoadAsync(SourceRegistry registry, CacheRun? run, string source, TransferOptions options)
    {
        WeightUri uri = WeightUri.Parse(source);
        IWeightLocation location = await registry.LocateAsync(uri, WeightPins.None, run, registry.Context, CancellationToken.None)
            .ConfigureAwait(false);
        Checkpoint checkpoint = await CheckpointReader.ReadAsync(uri, location).ConfigureAwait(false);
        await using (checkpoint.ConfigureAwait(false))
        {
            var plan = TransferPlan.Create(
                checkpoint.Files, [.. checkpoint.Tensors.Values], PartLimits.For(options, location.IsRemote));
            run?.Writer.BufferLimit = options.BufferLimit;
            var sink = new KeepingSink();
            await using (sink.ConfigureAwait(false))
            {
                var job = new TransferJob(
                    plan,
                    [.. checkpoint.Files.Select(static file => file.Source)],
                    sink,
                    ReaderLimits.For(options, location.IsRemote));
                await TransferRunner.RunAsync(job, registry.Context, CancellationToken.None).ConfigureAwait(false);
                return Convert.ToHexStringLower(SHA256.HashData(sink.Bytes));
            }
        }
    }

    /// <summary>The tensors in one array, in the order of the plan.</summary>
    private sealed class KeepingSink : IWeightSink
    {
        private readonly Dictionary<int, int> _starts = [];

        public byte[] Bytes { get; private set; } = [];

        public void Allocate(TransferPlan plan)
        {
            int length = 0;
            foreach (int tensor in plan.InFileOrder)
            {
                _starts[tensor] = length;
                length += (int)plan.Tensors[tensor].Info.ByteLength;
            }

            Bytes = new byte[length];
        }

        public ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken) =>
            ValueTask.FromResult(Bytes.AsMemory(_starts[segment.Tensor] + (int)segment.Offset, (int)segment.Length));

        public ValueTask CommitAsync(TransferSegment segment, Memory<byte> memory, CancellationToken cancellationToken) =>
            ValueTask.CompletedTask;

        public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
