using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>How a loader uses its local cache.</summary>
public sealed record LocalCacheOptions
{
    /// <summary>What a load does if its <c>LoadOptions.Cache</c> is null.</summary>
    /// <value><see cref="CacheMode.Check"/></value>
    public CacheMode Mode { get; init; } = CacheMode.Check;

    /// <summary>
    /// The most bytes of weights in the folder. The least recently used files are removed first; files in use are kept.
    /// </summary>
    /// <value>null: no limit except that of the disk.</value>
    public long? SizeLimit { get; init; }

    /// <summary>
    /// Whether the folder is used although other users of this machine may write to it or to a folder above it, or own one of them: whoever
    /// can change the folder decides what loads from it return. Without this such a load warns and continues without the cache; with
    /// <see cref="CacheMode.Offline"/> it fails.
    /// </summary>
    /// <value>
    /// false; for the folder that <c>TYPEDWEIGHTS_CACHE</c> names, whether <c>TYPEDWEIGHTS_CACHE_TRUST</c> is 1, on, yes or true.
    /// </value>
    public bool TrustFolder { get; init; }

    /// <summary>Is awaited before each write, in tests that need a slow disk.</summary>
    internal Func<Task>? BeforeWrite { get; init; }

    /// <summary>Throws if a value is not valid.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One of the values is out of its range; the message names it.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(SizeLimit ?? 0, 0, nameof(SizeLimit));
        OptionValue.ThrowUnlessDefined(Mode, nameof(Mode));
    }
}
