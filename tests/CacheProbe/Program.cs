// A process of its own that uses a local cache, for tests that end it or have it beside another one. No tensor library, so that it starts
// quickly; all else is the library's own way from a URI to memory.
//   CacheProbe load URI FOLDER    prints `ready`, waits for a line, loads, prints `loaded SHA256`; writes what is left; prints `cached true|false`
//   CacheProbe offline URI FOLDER loads from the cache alone, whoever it belongs to: prints `loaded SHA256` or `failed MESSAGE`
//   CacheProbe many URI COUNT     loads by so many loaders at once, without a cache, and prints `loaded SHA256` or `failed MESSAGE` for each
//   CacheProbe hold PATH          has a copy in use: prints `held`, and lets go at the next line
using CacheProbe;

switch (args)
{
    case ["load", string uri, string folder]:
        await CachedLoad.RunAsync(uri, folder).ConfigureAwait(false);
        return 0;
    case ["offline", string uri, string folder]:
        await CachedLoad.RunOfflineAsync(uri, folder).ConfigureAwait(false);
        return 0;
    case ["many", string uri, string count]:
        await CachedLoad.RunManyAsync(uri, int.Parse(count, System.Globalization.CultureInfo.InvariantCulture)).ConfigureAwait(false);
        return 0;
    case ["hold", string path]:
        return await HeldCopy.RunAsync(path).ConfigureAwait(false);
    default:
        return 64;
}
