using TypedWeights.Checkpoints;
using TypedWeights.Interop;
using TypedWeights.Sources;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Cpu;

/// <summary><see cref="TensorStorage.Mapped"/>: tensors over the mapped file; those that lie unaligned in it are read into an arena.</summary>
internal sealed class MappedSink : ArenaSink
{
    public override bool Reads(CheckpointFile file, TensorInfo tensor)
    {
        _ = Mappable(file);

        // No padding makes up for a header whose length is odd.
        return (file.Header.DataStart + tensor.Begin) % Math.Max(1, tensor.DType.BitSize() / 8) != 0;
    }

    protected override void Place(TransferPlan plan)
    {
        foreach (IGrouping<int, int> ofFile in plan.InFileOrder.GroupBy(index => plan.Tensors[index].File))
        {
            CheckpointFile file = plan.Files[ofFile.Key];
            PlaceOverFile(plan.Tensors, file, [.. ofFile.Where(index => !Reads(file, plan.Tensors[index].Info))]);
        }

        PlaceInArena(plan);
    }

    private void PlaceOverFile(IReadOnlyList<CheckpointTensor> tensors, CheckpointFile file, IReadOnlyList<int> indexes)
    {
        if (indexes.Count == 0)
        {
            return;
        }

        var mapping = new SharedRegion(Mappable(file).Map());
        try
        {
            PlaceOver(mapping, tensors, [.. indexes.Select(index => (index, file.Header.DataStart + tensors[index].Info.Begin))]);
        }
        finally
        {
            mapping.Release();
        }
    }

    private static IMappableSource Mappable(CheckpointFile file) => file.Source as IMappableSource ?? throw new WeightSourceException(
        file.Source.Display,
        "only a file of this machine can be mapped; load this one with another TensorStorage than Mapped, or download it first and give its path.");
}
