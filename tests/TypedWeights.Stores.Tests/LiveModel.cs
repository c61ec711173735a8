using TypedWeights.Checkpoints;
using TypedWeights.Manifests;
using TypedWeights.Opening;
using TypedWeights.Snapshots;
using TypedWeights.Sources;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tests.Stores;

/// <summary>What a generated class is to a load, with a manifest of what is there now: its versions are not known when tests are built.</summary>
internal sealed class LiveModel : IWeightModel<LiveModel>
{
    private LiveModel(WeightSet weights) => Weights = weights;

    public static WeightManifest Manifest { get; private set; } = null!;

    public WeightSet Weights { get; }

    public static LiveModel Bind(WeightSet weights) => new(weights);

    /// <summary>Takes the snapshot of a source and makes the manifest of it, as the tool and the generator do.</summary>
    public static async Task<WeightSnapshot> SnapshotAsync(string uri, Action<SourceRegistryBuilder>? configure = null)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        var builder = new SourceRegistryBuilder();
        configure?.Invoke(builder);
        await using SourceRegistry registry = builder.Build(new TransferContext());
        WeightUri source = WeightUri.Parse(uri);
        await using Checkpoint checkpoint = await CheckpointReader.ReadAsync(source, await registry.LocateAsync(source, token), token);

        // Through the text of the snapshot file and back.
        WeightSnapshot snapshot = SnapshotReader.Read(SnapshotWriter.Write(SnapshotBuilder.Build(checkpoint, "LiveModel")));
        Manifest = WeightManifest.Parse(System.Text.Encoding.ASCII.GetBytes(ManifestWriter.Write(snapshot, snapshot.Source, token)));
        return snapshot;
    }

    public void Dispose() => Weights.Dispose();
}
