using TypedWeights.Downloads;

namespace TypedWeights.Caching;

/// <summary>The copy of one version of a file in the cache, whole or not.</summary>
internal interface ICacheCopy
{
    /// <summary>What is there. A part that is not sound is held against its hash before it is used.</summary>
    PartMap Parts { get; }

    /// <summary>Reads bytes that are there.</summary>
    /// <returns>How many came; 0 where the copy ends too early.</returns>
    ValueTask<int> ReadAsync(Memory<byte> destination, long position, CancellationToken cancellationToken);

    /// <summary>Writes the right bytes of a part over damaged ones.</summary>
    /// <exception cref="IOException">They cannot be written.</exception>
    ValueTask MendAsync(FinishedPart part, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);
}
