namespace TypedWeights.Sources;

/// <summary>A source that may have to wait for a disk of this machine, which does more of its work the more it is asked for at once.</summary>
internal interface IDiskSource : IWeightSource
{
    /// <summary>Whether the last large read waited. While the system's page cache has the bytes, more readers than cores are a hindrance.</summary>
    bool WaitsForDisk { get; }
}
