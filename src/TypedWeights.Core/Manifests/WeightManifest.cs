using System.Collections.ObjectModel;
using TypedWeights.Errors;
using TypedWeights.Manifests;

namespace TypedWeights;

/// <summary>
/// What a generated class expects: the contract, which is the name, dtype and shape of every tensor; and, as hints, the files and offsets of
/// the snapshot.
/// </summary>
public sealed class WeightManifest
{
    private readonly Dictionary<string, int> _byName;
    private readonly Lazy<NameIndex> _names;

    internal WeightManifest(
        string source,
        string? revision,
        IReadOnlyList<ManifestFile> files,
        IReadOnlyList<ManifestTensor> tensors,
        IReadOnlyList<KeyValuePair<string, string>> ties)
    {
        Source = source;
        Revision = revision;
        Files = files;
        Tensors = tensors;
        _byName = new Dictionary<string, int>(tensors.Count + ties.Count, StringComparer.Ordinal);
        for (int i = 0; i < tensors.Count; i++)
        {
            if (!_byName.TryAdd(tensors[i].Name, i))
            {
                throw Error($"it lists \"{tensors[i].Name}\" twice");
            }
        }

        var tiedNames = new Dictionary<string, string>(ties.Count, StringComparer.Ordinal);
        foreach ((string tiedName, string target) in ties)
        {
            if (!_byName.TryGetValue(target, out int index) || !_byName.TryAdd(tiedName, index))
            {
                throw Error($"the tied name \"{tiedName}\" refers to a missing tensor, or is itself the name of a tensor");
            }

            tiedNames.Add(tiedName, target);
        }

        Ties = new ReadOnlyDictionary<string, string>(tiedNames);
        _names = new Lazy<NameIndex>(() => new NameIndex(_byName.Keys));
    }

    /// <summary>The default source of the weights, without secrets.</summary>
    public string Source { get; }

    /// <summary>The revision at which the snapshot was taken, or null if the source has no revisions.</summary>
    public string? Revision { get; }

    /// <summary>The name and version of the snapshot's index; null for a single file, and where the store has no versions.</summary>
    internal KeyValuePair<string, string>? Index { get; init; }

    /// <summary>The files of the snapshot.</summary>
    internal IReadOnlyList<ManifestFile> Files { get; }

    /// <summary>Every tensor; tied names are in <see cref="Ties"/>.</summary>
    internal IReadOnlyList<ManifestTensor> Tensors { get; }

    /// <summary>Tied names, each with the name of its tensor.</summary>
    internal IReadOnlyDictionary<string, string> Ties { get; }

    /// <summary>Every tensor and every tied name with its dtype and shape: what a checkpoint must contain.</summary>
    public IEnumerable<WeightPath> Paths => Tensors.Select(static tensor => new WeightPath(tensor.Name, tensor.DType, tensor.Shape))
        .Concat(Ties.Keys.Select(Path));

    /// <summary>Reads the text that the generator wrote.</summary>
    /// <param name="manifest">The manifest in ASCII.</param>
    /// <exception cref="FormatException">The text is not a manifest of this version, or contradicts itself.</exception>
    public static WeightManifest Parse(ReadOnlySpan<byte> manifest) => ManifestReader.Read(manifest);

    /// <summary>The path of a tensor or of a tied name.</summary>
    /// <param name="name">The name in the header.</param>
    /// <exception cref="KeyNotFoundException">There is no such tensor.</exception>
    public WeightPath Path(string name) => TryGetPath(name, out WeightPath path)
        ? path
        : throw new KeyNotFoundException($"There is no tensor {Printable.Name(name)} in the manifest of {Printable.Line(Source)}.");

    /// <summary>The path of a tensor or of a tied name, if there is one.</summary>
    /// <param name="name">The name in the header.</param>
    /// <param name="path">The name with dtype and shape; for a tied name those of the tensor it stands for.</param>
    internal bool TryGetPath(string name, out WeightPath path)
    {
        bool found = _byName.TryGetValue(name, out int index);
        path = found ? new WeightPath(name, Tensors[index].DType, Tensors[index].Shape) : default;
        return found;
    }

    /// <summary>Whether the snapshot was taken with the tensors' digests.</summary>
    internal bool HasDigests => Tensors.Any(static tensor => tensor.Sha256 is not null);

    /// <summary>The digest of a tensor or of a tied name; null if the snapshot has no digests.</summary>
    internal string? DigestOf(string name) => _byName.TryGetValue(name, out int index) ? Tensors[index].Sha256 : null;

    /// <summary>The names as a tree, tied ones included.</summary>
    internal NameIndex Names => _names.Value;

    internal static FormatException Error(string message) =>
        new($"The manifest of a generated class cannot be read ({Printable.Line(message)}). Rebuild the project that declares the class.");
}

/// <summary>One file of a manifest: hints for the loader, which may be wrong.</summary>
/// <param name="Name">The name relative to the source's folder.</param>
/// <param name="Length">Bytes in the file.</param>
/// <param name="Validator">The ETag with its quotes, or <c>last-modified:…</c>; null if there is none.</param>
/// <param name="HeaderLength">The header's length in bytes, without the eight bytes that hold it.</param>
internal sealed record ManifestFile(string Name, long Length, string? Validator, long HeaderLength)
{
    /// <summary>The store's version of the file (<c>versionId</c>, generation) when the snapshot was taken; null where it has none.</summary>
    public string? Version { get; init; }
}

/// <summary>One tensor of a manifest. Name, dtype and shape are what a checkpoint must have; file and range are hints.</summary>
/// <param name="Name">The name in the header.</param>
/// <param name="DType">The element type.</param>
/// <param name="Shape">The shape, counted in elements.</param>
/// <param name="File">An index into <see cref="WeightManifest.Files"/>; -1 if the manifest does not state where the tensors are.</param>
/// <param name="Begin">The first byte, counted from the end of the file's header; 0 if <paramref name="File"/> is -1.</param>
/// <param name="End">The byte after the last; 0 if <paramref name="File"/> is -1.</param>
internal readonly record struct ManifestTensor(string Name, DType DType, TensorShape Shape, int File, long Begin, long End)
{
    /// <summary>SHA-256 of the tensor's bytes in lower-case hexadecimal; null where the snapshot was taken without digests.</summary>
    public string? Sha256 { get; init; }
}
