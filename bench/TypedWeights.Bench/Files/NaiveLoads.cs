using TorchSharp;
using static TorchSharp.torch;

namespace TypedWeights.Bench.Files;

/// <summary>Plain .NET code as a user would write it, without header parsing: bytes into managed arrays, then into tensors.</summary>
internal static class NaiveLoads
{
    public static List<Tensor> AllBytes(string path, SafeTensorsHeader header)
    {
        byte[] bytes = File.ReadAllBytes(path);
        return [.. header.Tensors.Select(info => Copied(info, bytes.AsSpan((int)(header.DataStart + info.Begin), (int)info.ByteLength)))];
    }

    public static List<Tensor> StreamPerTensor(string path, SafeTensorsHeader header)
    {
        var tensors = new List<Tensor>();
        foreach (TensorInfo info in header.Tensors)
        {
            using FileStream stream = File.OpenRead(path);
            stream.Position = header.DataStart + info.Begin;
            byte[] bytes = new byte[info.ByteLength];
            stream.ReadExactly(bytes);
            tensors.Add(Copied(info, bytes));
        }

        return tensors;
    }

    private static Tensor Copied(TensorInfo info, ReadOnlySpan<byte> bytes)
    {
        Tensor tensor = empty(info.Shape.ToInt64Array(), ScalarType.BFloat16);
        bytes.CopyTo(tensor.bytes);
        return tensor;
    }
}
