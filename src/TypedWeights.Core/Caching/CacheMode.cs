namespace TypedWeights;

/// <summary>What a load does with the local cache.</summary>
public enum CacheMode
{
    /// <summary>
    /// One request for each file finds out whether it is still the version that is in the cache; then the parts that are there come from the
    /// disk, and the others are fetched and cached.
    /// </summary>
    Check,

    /// <summary>
    /// If every file of the checkpoint is whole in the cache, no request is sent, and a newer version is not noticed. Otherwise the load does
    /// what <see cref="Check"/> does.
    /// </summary>
    Trust,

    /// <summary>No request is sent: what is not in the cache is an error.</summary>
    Offline,

    /// <summary>The cache is neither read nor written.</summary>
    Off,
}
