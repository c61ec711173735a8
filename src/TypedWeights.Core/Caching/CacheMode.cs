namespace TypedWeights;

/// <summary>What a load does with the local cache.</summary>
public enum CacheMode
{
    /// <summary>
    /// The source is asked once for each file whether it is still the version that is in the cache; then what is there comes from the
    /// disk, and what is not is fetched and kept.
    /// </summary>
    Check,

    /// <summary>
    /// A file that is whole in the cache is used without asking whether there is a newer one. Others are fetched as with <see cref="Check"/>.
    /// </summary>
    Trust,

    /// <summary>The source is not asked for anything: what is not in the cache is an error.</summary>
    Offline,

    /// <summary>The cache is neither read nor written.</summary>
    Off,
}
