using TypedWeights.Downloads;

namespace TypedWeights.Caching;

/// <summary>A copy of which something is missing; loads of this process that read the same version write into it together.</summary>
internal sealed class PartialCopy(string key, PartialFile file) : ICacheCopy
{
    /// <summary>Its name in the cache.</summary>
    public string Key => key;

    public PartMap Parts => file.Parts;

    /// <summary>The file, for who closes the copy.</summary>
    public PartialFile File => file;

    /// <summary>How many loads write into it; counted by the cache under its lock.</summary>
    public int Users { get; set; }

    public ValueTask<int> ReadAsync(Memory<byte> destination, long position, CancellationToken cancellationToken) =>
        file.ReadAsync(destination, position, cancellationToken);

    public ValueTask MendAsync(FinishedPart part, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        file.MendAsync(part, bytes, cancellationToken);
}
