using TypedWeights.Memory;

namespace TypedWeights.Sources;

/// <summary>A source whose bytes can be memory of this process without being read first: a file of this machine.</summary>
internal interface IMappableSource : IWeightSource
{
    /// <summary>Maps the whole file, from its first byte; the mapping stays when the source is closed.</summary>
    /// <exception cref="WeightSourceException">The file system or the address space does not allow it.</exception>
    NativeRegion Map();
}
