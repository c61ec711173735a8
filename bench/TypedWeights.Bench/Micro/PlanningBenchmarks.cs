using System.Text;
using BenchmarkDotNet.Attributes;
using TypedWeights.Checkpoints;
using TypedWeights.Sources;
using TypedWeights.Transfer.Limits;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Bench.Micro;

/// <summary>The work before the first byte of payload, for a model of 20,000 tensors.</summary>
[InProcess]
[WarmupCount(3)]
[IterationCount(10)]
[MemoryDiagnoser]
public class PlanningBenchmarks
{
    private const int Count = 20_000;
    private const int TensorBytes = 2 * 64 * 64;

    private byte[] _header = [];
    private long _fileLength;
    private CheckpointFile[] _files = [];
    private CheckpointTensor[] _tensors = [];
    private CheckpointTensor[] _some = [];

    /// <summary>Creates the header, with the names of a mixture of experts and small shapes.</summary>
    [GlobalSetup]
    public void MakeHeader()
    {
        var json = new StringBuilder("{\"__metadata__\":{\"format\":\"pt\"}");
        for (int i = 0; i < Count; i++)
        {
            json.Append(
                System.Globalization.CultureInfo.InvariantCulture,
                $",\"model.layers.{i / 384}.mlp.experts.{i % 384}.gate_proj.weight\":{{\"dtype\":\"BF16\",");
            json.Append(
                System.Globalization.CultureInfo.InvariantCulture,
                $"\"shape\":[64,64],\"data_offsets\":[{i * TensorBytes},{(i + 1) * TensorBytes}]}}");
        }

        _header = Encoding.UTF8.GetBytes(json.Append('}').ToString());
        _fileLength = 8 + _header.Length + ((long)Count * TensorBytes);
        SafeTensorsHeader header = SafeTensorsHeader.Parse(_header, _fileLength, "model.safetensors");
        _files = [new CheckpointFile("model.safetensors", new NoSource(_fileLength), header)];
        _tensors = [.. header.Tensors.Select(info => new CheckpointTensor(0, info))];
        _some = [.. _tensors.Where((_, i) => i % 3 == 0)];
    }

    /// <summary>From the bytes of the header to a checked header.</summary>
    [Benchmark]
    public object Parse() => SafeTensorsHeader.Parse(_header, _fileLength, "model.safetensors");

    /// <summary>From the checked header to ranges.</summary>
    [Benchmark]
    public object Plan() => TransferPlan.Create(_files, _tensors, PartLimits.Local);

    /// <summary>The same for a third of the tensors across a network: the plan decides about gaps, and cuts small ranges at the end.</summary>
    [Benchmark]
    public object PlanSome() => TransferPlan.Create(_files, _some, PartLimits.For(new TransferOptions(), isRemote: true));

    private sealed class NoSource(long length) : IWeightSource
    {
        public string Display => "model.safetensors";

        public long Length => length;

        public string? Validator => null;

        public ValueTask<IRangeReader> OpenRangeAsync(long offset, long count, CancellationToken cancellationToken) =>
            throw new NotSupportedException("Planning reads nothing.");

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
