using TypedWeights.Format;
using TypedWeights.Sources;

namespace TypedWeights.Checkpoints;

/// <summary>
/// The checkpoint that a manifest describes, opened without a request, so that the first requests of a load can be for payload. The live
/// headers, which are read at the same time, show whether it is the checkpoint at the source.
/// </summary>
internal static class ExpectedCheckpoint
{
    /// <summary>Opens the expected checkpoint.</summary>
    /// <returns>
    /// null if the manifest's files are not those of the location, if the manifest does not state where the tensors are, or if the store has to
    /// look at a file to open it.
    /// </returns>
    public static Checkpoint? TryOpen(WeightManifest manifest, WeightUri uri, IWeightLocation location)
    {
        bool isIndex = location.EntryName.EndsWith(".json", StringComparison.OrdinalIgnoreCase);
        if (!location.IsRemote || manifest.Files.Count == 0 || (manifest.Files.Count > 1 && !isIndex)
            || manifest.Tensors.Any(static tensor => tensor.File < 0))
        {
            return null;
        }

        var files = new CheckpointFile[manifest.Files.Count];
        ILookup<int, ManifestTensor> tensors = manifest.Tensors.ToLookup(tensor => tensor.File);
        for (int i = 0; i < files.Length; i++)
        {
            // The only file of a model may have another name at the source of the load.
            ManifestFile expected = manifest.Files[i];
            string name = isIndex ? expected.Name : location.EntryName;
            if (location.OpenAhead(name, expected.Length) is not { } source)
            {
                return null;
            }

            files[i] = new CheckpointFile(name, source, Header(expected, tensors[i]));
        }

        return new Checkpoint(uri, location.Revision, files, []);
    }

    /// <summary>A location that requests the header of a file together with its first response.</summary>
    public static IWeightLocation WithHeaders(IWeightLocation location, Checkpoint expected) => new HeaderHints(location, expected);

    /// <summary>Whether every tensor is where the manifest says.</summary>
    public static bool HasLayout(Checkpoint live, Checkpoint expected) =>
        live.Files.Count == expected.Files.Count
        && live.Files.Zip(expected.Files).All(static pair => IsSame(pair.First, pair.Second));

    /// <summary>Whether the files that the payload came from are those that the headers came from.</summary>
    public static bool HasValidators(Checkpoint live, Checkpoint expected) =>
        live.Files.Zip(expected.Files).All(static pair =>
            pair.Second.Header.DataLength == 0 || pair.First.Source.Validator == pair.Second.Source.Validator);

    private static bool IsSame(CheckpointFile live, CheckpointFile expected) =>
        live.Name == expected.Name
        && !live.Source.IsSequential
        && live.Source.Length == expected.Source.Length
        && live.Header.HeaderLength == expected.Header.HeaderLength
        && live.Header.Tensors.SequenceEqual(expected.Header.Tensors);

    private static SafeTensorsHeader Header(ManifestFile file, IEnumerable<ManifestTensor> tensors) => new(
        file.HeaderLength,
        sha256: "",
        new Dictionary<string, string>(),
        [
            .. tensors.OrderBy(static tensor => tensor.Begin).ThenBy(static tensor => tensor.End)
                .Select(static tensor => new TensorInfo(tensor.Name, tensor.DType, tensor.Shape, tensor.Begin, tensor.End)),
        ]);

    // A longer header has a separate request, which can be resumed: beside all that payload, over a slow line, it may take longer than the
    // time limit for the first response.
    private const int LongestFirstBytes = 128 << 10;

    private sealed class HeaderHints(IWeightLocation inner, Checkpoint expected) : DelegatingLocation(inner)
    {
        private readonly Dictionary<string, long> _starts =
            expected.Files.ToDictionary(static file => file.Name, static file => file.Header.DataStart, StringComparer.Ordinal);

        public override ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) =>
            _starts.TryGetValue(name, out long start) && start <= LongestFirstBytes
                ? Inner.OpenAsync(name, (int)start, cancellationToken)
                : Inner.OpenAsync(name, cancellationToken);
    }
}
