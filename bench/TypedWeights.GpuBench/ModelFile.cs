using System.Text.Json;

namespace TypedWeights.GpuBench;

/// <summary>A checkpoint like a language model's: large matrices, and small vectors between them.</summary>
internal static class ModelFile
{
    private const int Width = 4096;

    public static int Make(string path, long bytes)
    {
        long matrix = 2L * Width * Width;
        int layers = (int)Math.Max(1, bytes / (4 * matrix));
        var header = new SortedDictionary<string, object>(StringComparer.Ordinal);
        long at = 0;
        for (int layer = 0; layer < layers; layer++)
        {
            for (int i = 0; i < 4; i++)
            {
                Add($"layers.{layer}.matrix{i}.weight", [Width, Width]);
                Add($"layers.{layer}.norm{i}.weight", [Width]);
            }
        }

        byte[] text = JsonSerializer.SerializeToUtf8Bytes(header);
        Array.Resize(ref text, (text.Length + 7) / 8 * 8);
        text.AsSpan().Replace((byte)0, (byte)' ');
        using FileStream file = File.Create(path);
        file.Write(BitConverter.GetBytes((long)text.Length));
        file.Write(text);
        byte[] noise = new byte[1 << 20];
        var random = new Random(1);
        for (long left = at; left > 0; left -= noise.Length)
        {
            random.NextBytes(noise);
            file.Write(noise, 0, (int)Math.Min(left, noise.Length));
        }

        return 0;

        void Add(string name, long[] shape)
        {
            long length = shape.Aggregate(2L, static (product, dimension) => product * dimension);
            header.Add(name, new Dictionary<string, object> { ["dtype"] = "BF16", ["shape"] = shape, ["data_offsets"] = new[] { at, at + length } });
            at += length;
        }
    }
}
