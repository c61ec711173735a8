using TypedWeights.Checkpoints;
using TypedWeights.Sources;

namespace TypedWeights.Tests.Transfer;

/// <summary>Files that are there by their headers alone: planning reads nothing.</summary>
internal static class PlannedFiles
{
    /// <summary>A file of tensors of the given sizes, in this order, after a header of a length of its own.</summary>
    public static CheckpointFile Of(string name, IReadOnlyList<long> lengths, long headerLength = 1000, bool isSequential = false)
    {
        var tensors = new TensorInfo[lengths.Count];
        long end = 0;
        for (int i = 0; i < tensors.Length; i++)
        {
            long begin = end;
            end += lengths[i];
            tensors[i] = new TensorInfo($"{name}.{i}", DType.U8, new TensorShape([(ulong)lengths[i]]), begin, end);
        }

        var header = new SafeTensorsHeader(headerLength, "", new Dictionary<string, string>(), tensors);
        return new CheckpointFile(name, new Source(name, 8 + headerLength + end, isSequential), header);
    }

    public static CheckpointTensor[] AllOf(IReadOnlyList<CheckpointFile> files) =>
        [.. files.SelectMany((file, index) => file.Header.Tensors.Select(info => new CheckpointTensor(index, info)))];

    private sealed class Source(string name, long length, bool isSequential) : IWeightSource
    {
        public string Display => name;

        public long Length => length;

        public string? Validator => null;

        public bool IsSequential => isSequential;

        public ValueTask<IRangeReader> OpenRangeAsync(long offset, long count, CancellationToken cancellationToken) =>
            throw new NotSupportedException("Planning reads nothing.");

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
