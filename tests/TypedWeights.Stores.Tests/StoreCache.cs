using System.Text;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores;

/// <summary>A store behind the local cache.</summary>
internal static class StoreCache
{
    /// <summary>
    /// Fails unless one load of the noise file fills a cache, the next ones find it there, with the store's leave and without asking, and
    /// nothing of a login is left in the folder.
    /// </summary>
    /// <param name="store">Adds the store to a loader.</param>
    /// <param name="uri">The noise file in it.</param>
    /// <param name="secrets">What no name and no file of the folder may hold.</param>
    public static async Task AssertKeepsAsync(Func<WeightLoaderBuilder, WeightLoaderBuilder> store, string uri, params IEnumerable<string> secrets)
    {
        using var folder = new TempFolder();
        foreach (CacheMode mode in (CacheMode[])[CacheMode.Check, CacheMode.Check, CacheMode.Trust, CacheMode.Offline])
        {
            await using WeightLoader loader = store(new WeightLoaderBuilder()).UseLocalCache(folder.Path).Build();
            using WeightSet weights = await loader.LoadTensorsAsync(
                uri, new() { Cache = mode }, cancellationToken: TestContext.Current.CancellationToken);
            NoiseFile.AssertIn(weights);
            Assert.True(await weights.Caching, $"{mode}: not all of it is in the cache");
        }

        string copy = Assert.Single(Directory.GetFiles(folder.Path, "*.data"));
        Assert.Equal(NoiseFile.Bytes, await File.ReadAllBytesAsync(copy, TestContext.Current.CancellationToken));
        foreach (string path in Directory.GetFiles(folder.Path))
        {
            string text = path + Encoding.Latin1.GetString(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
            Assert.All(secrets, secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
        }
    }
}
