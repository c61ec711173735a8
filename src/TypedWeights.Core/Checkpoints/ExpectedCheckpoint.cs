using TypedWeights.Format;
using TypedWeights.Sources;

namespace TypedWeights.Checkpoints;

/// <summary>
/// The checkpoint that a manifest leads to expect, opened without asking for anything: so that a load's first requests can be for
/// payload. Whether it is the one that is there, the live headers tell, which are read beside.
/// </summary>
internal static class ExpectedCheckpoint
{
    /// <summary>Opens what is expected.</summary>
    /// <returns>null where the manifest's files are not the location's, or the store cannot be asked so.</returns>
    public static Checkpoint? TryOpen(WeightManifest manifest, WeightUri uri, IWeightLocation location)
    {
        bool isIndex = location.EntryName.EndsWith(".json", StringComparison.OrdinalIgnoreCase);
        if (!location.IsRemote || manifest.Files.Count == 0 || (manifest.Files.Count > 1 && !isIndex))
        {
            return null;
        }

        var files = new CheckpointFile[manifest.Files.Count];
        if (HasCopies(manifest))
        {
            // The live header will hold tensors that the manifest does not know.
            return null;
        }

        ILookup<int, ManifestTensor> tensors = manifest.Tensors.ToLookup(tensor => tensor.File);
        for (int i = 0; i < files.Length; i++)
        {
            // The one file of a model may be called otherwise where it is loaded from.
            ManifestFile expected = manifest.Files[i];
            string name = isIndex ? expected.Name : location.EntryName;
            if (location.OpenAhead(name, expected.Length) is not { } source)
            {
                return null;
            }

            files[i] = new CheckpointFile(name, source, Header(expected, tensors[i]));
        }

        var byName = new Dictionary<string, CheckpointTensor>(manifest.Tensors.Count, StringComparer.Ordinal);
        for (int i = 0; i < files.Length; i++)
        {
            foreach (TensorInfo tensor in files[i].Header.Tensors)
            {
                byName.Add(tensor.Name, new CheckpointTensor(i, tensor));
            }
        }

        return new Checkpoint(uri, location.Revision, files, byName, []);
    }

    /// <summary>A location whose files bring their headers along with the opening answer.</summary>
    public static IWeightLocation WithHeaders(IWeightLocation location, Checkpoint expected) => new HeaderHints(location, expected);

    /// <summary>Whether every tensor lies where it was expected to.</summary>
    public static bool HasLayout(Checkpoint live, Checkpoint expected) =>
        live.Files.Count == expected.Files.Count
        && live.Files.Zip(expected.Files).All(static pair => IsSame(pair.First, pair.Second));

    /// <summary>Whether the files that the payload came from are those that the headers came from.</summary>
    public static bool HasValidators(Checkpoint live, Checkpoint expected) =>
        live.Files.Zip(expected.Files).All(static pair =>
            pair.Second.Header.DataLength == 0 || pair.First.Source.Validator == pair.Second.Source.Validator);

    private static bool HasCopies(WeightManifest manifest) =>
        manifest.Files.Sum(static file => (decimal)file.Length - HeaderPrefix.Size - file.HeaderLength)
            != manifest.Tensors.Sum(static tensor => (decimal)(tensor.End - tensor.Begin));

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

    // A longer header is read by a request of its own, which goes on where it stopped: beside all that payload, over a slow line, it may
    // take longer than an opening answer is waited for.
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
