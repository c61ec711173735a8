using TypedWeights.Caching;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Loading.Caching;

/// <summary>A fault server with the noise file and a folder for a cache.</summary>
public abstract class CacheTest : IAsyncLifetime
{
    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected static TransferOptions Quick { get; } = new()
    {
        MinConnections = 4,
        MaxConnections = 4,
        PartSize = 256 << 10,
        StallTimeout = TimeSpan.FromSeconds(2),
        RetryDelay = TimeSpan.FromMilliseconds(10),
        Attempts = 4,
    };

    private protected FaultServer Server { get; private set; } = null!;

    private protected TempFolder Folder { get; } = new();

    private protected LineLogger Log { get; } = new();

    private protected string Cache => Folder["cache"];

    private protected string Uri => $"{Server.Address}/{NoiseFile.Name}";

    /// <summary>Bytes of bodies that the server has sent.</summary>
    private protected long Sent => Server.Requests.Sum(request => request.Sent);

    public virtual async ValueTask InitializeAsync()
    {
        Server = await FaultServer.StartAsync();
        Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(NoiseFile.Bytes);
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected WeightLoader Loader(LocalCacheOptions? options = null, TransferOptions? transfer = null, string? folder = null) =>
        new WeightLoaderBuilder().UseTransferOptions(transfer ?? Quick).UseLogging(Log).UseLocalCache(folder ?? Cache, options).Build();

    /// <summary>Loads the noise file with a loader of its own, fails unless every byte is right, and waits for the cache.</summary>
    /// <returns>Whether all of it is in the cache.</returns>
    private protected async Task<bool> LoadAsync(TensorLoadOptions? load = null, LocalCacheOptions? options = null, string? uri = null)
    {
        await using WeightLoader loader = Loader(options);
        using WeightSet weights = await loader.LoadTensorsAsync(uri ?? Uri, load, cancellationToken: Token);
        NoiseFile.AssertIn(weights);
        return await weights.Caching;
    }

    /// <summary>The one copy in the cache.</summary>
    private protected string Copy() => Assert.Single(Directory.GetFiles(Cache, "*.data"));

    /// <summary>Fails unless the one copy in the cache is whole and right.</summary>
    private protected async Task AssertCachedAsync()
    {
        CachedItem item = Assert.Single(new CacheFolder(Cache).List(Token));
        Assert.True(item.IsWhole);
        Assert.Equal(0, await item.CountDamagedAsync(static _ => { }, Token));
        Assert.Equal(NoiseFile.Bytes, await File.ReadAllBytesAsync(item.Path, Token));
    }

    /// <summary>Whether the one copy in the cache lacks bytes.</summary>
    private protected bool IsPartial() => Assert.Single(new CacheFolder(Cache).List(Token)) is { IsWhole: false };

    /// <summary>What is in the cache, by the ends of the names.</summary>
    private protected IEnumerable<string> Kinds() => Directory.Exists(Cache)
        ? Directory.GetFiles(Cache).Select(path => Path.GetFileName(path)).Select(name => name[name.IndexOf('.')..]).Order(StringComparer.Ordinal)
        : [];
}
