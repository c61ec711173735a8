using System.Security.Cryptography;
using System.Text;
using TypedWeights.Bench.Figures;
using TypedWeights.Checkpoints;
using TypedWeights.Manifests;
using TypedWeights.Sources;
using TypedWeights.Sources.File;

namespace TypedWeights.Bench.Digests;

/// <summary>The cost of checking every tensor against its SHA-256 while a file loads from the page cache: the worst case.</summary>
internal static class DigestSection
{
    private const string Plain = "without digests";
    private const string Checked = "with digests";

    public static async Task<IReadOnlyList<Figure>> RunAsync(Measurement measurement)
    {
        TorchNative.EnsureLoaded();
        await DigestedModel.TakeAsync(measurement.ModelPath);
        List<Case> cases =
        [
            new Case(Plain, () => Sample.OfAsync(() => LoadAsync(measurement.ModelPath, Verification.None))),
            new Case(Checked, () => Sample.OfAsync(() => LoadAsync(measurement.ModelPath, Verification.Digests))),
        ];
        await Interleaved.RunAsync(cases, measurement.Rounds, measurement.Length);
        Measured plain = cases[0].Measured, ours = cases[1].Measured;
        return
        [
            new Figure(
                "file → typed model, digests checked",
                Figure.GigabytesPerSecond(ours, measurement.Length),
                $"{Plain}: {Figure.GigabytesPerSecond(plain, measurement.Length)}",
                Text.Of($"{plain.Median / ours.Median:F2} ×"),
                "",
                true),
            new Figure(
                "digests: CPU",
                Text.Of($"{ours.Cpu / (measurement.Length / 1e9) * 1000:F0} ms/GB"),
                Text.Of($"{Plain}: {plain.Cpu / (measurement.Length / 1e9) * 1000:F0} ms/GB"),
                "",
                "",
                true),
        ];
    }

    private static async Task<IDisposable?> LoadAsync(string path, Verification verify) =>
        await WeightLoader.Default.LoadAsync<DigestedModel>(path, new() { Verify = verify });

    /// <summary>A model as the generator would write it, for a snapshot that is taken here.</summary>
    private sealed class DigestedModel(WeightSet weights) : IWeightModel<DigestedModel>
    {
        private static WeightManifest? _manifest;

        public static WeightManifest Manifest => _manifest!;

        public WeightSet Weights => weights;

        public static async Task TakeAsync(string path)
        {
            var uri = WeightUri.Parse(path);
            await using var provider = new FileProvider();
            await using Checkpoint checkpoint = await CheckpointReader.ReadAsync(uri, await provider.LocateAsync(uri, CancellationToken.None));
            var digests = new Dictionary<string, string>();
            foreach ((string name, CheckpointTensor tensor) in checkpoint.Tensors)
            {
                CheckpointFile file = checkpoint.Files[tensor.File];
                byte[] bytes = await file.Source.ReadAsync(
                    file.Header.DataStart + tensor.Info.Begin, (int)tensor.Info.ByteLength, CancellationToken.None);
                digests[name] = Convert.ToHexStringLower(SHA256.HashData(bytes));
            }

            string manifest = ManifestWriter.Write(SnapshotBuilder.Build(checkpoint, "Digested", digests), path, CancellationToken.None);
            _manifest = WeightManifest.Parse(Encoding.ASCII.GetBytes(manifest));
        }

        public static DigestedModel Bind(WeightSet weights) => new(weights);

        public void Dispose() => weights.Dispose();
    }
}
