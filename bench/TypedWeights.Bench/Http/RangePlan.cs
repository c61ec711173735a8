using TypedWeights.Checkpoints;
using TypedWeights.Sources;
using TypedWeights.Sources.File;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Bench.Http;

/// <summary>The ranges that the loader requests from a server, taken from its own plan for the file on disk.</summary>
internal static class RangePlan
{
    public static async Task<IReadOnlyList<TransferRange>> OfAsync(string path)
    {
        WeightUri uri = WeightUri.Parse(path);
        await using var provider = new FileProvider();
        await using Checkpoint checkpoint = await CheckpointReader.ReadAsync(uri, await provider.LocateAsync(uri, CancellationToken.None));
        return TransferPlan.Create(
            checkpoint.Files, TensorSelection.All(checkpoint).Tensors, PartLimits.For(new TransferOptions(), isRemote: true)).Ranges;
    }
}
