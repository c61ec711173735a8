using TypedWeights.Bench;

namespace TypedWeights.GpuBench;

/// <summary>A checkpoint like that of a language model: large matrices, and small vectors between them.</summary>
internal static class ModelFile
{
    private const ulong Width = 4096;
    private const int PerLayer = 4;

    /// <summary>Writes a checkpoint of about that many bytes, with at least one layer.</summary>
    public static async Task<int> MakeAsync(string path, long bytes)
    {
        long layers = Math.Max(1, bytes / (PerLayer * 2 * (long)(Width * Width)));
        await SafeTensorsWriter.WriteAsync(path, Entries(layers));
        return 0;
    }

    private static IEnumerable<SafeTensorsEntry> Entries(long layers)
    {
        for (long layer = 0; layer < layers; layer++)
        {
            for (int i = 0; i < PerLayer; i++)
            {
                yield return NoiseEntry.Of($"layers.{layer}.matrix{i}.weight", Width, Width);
                yield return NoiseEntry.Of($"layers.{layer}.norm{i}.weight", Width);
            }
        }
    }
}
