using System.Diagnostics;
using System.Globalization;
using TorchSharp;

namespace TypedWeights.Bench.Tiny;

/// <summary>A file of 1,000 tiny tensors, from path to tensors by name, against 1,000 calls of <c>torch.empty</c> and nothing else.</summary>
internal static class TinyTensors
{
    private const int Count = 1000;
    private const int WarmUp = 200;
    private static readonly long[] Shape = [16];

    public static async Task<int> RunAsync(int rounds)
    {
        TorchNative.EnsureLoaded();
        string path = Path.Combine(Path.GetTempPath(), $"typedweights-tiny-{Environment.ProcessId}.safetensors");
        try
        {
            await SafeTensorsWriter.WriteAsync(path, Enumerable.Range(0, Count).Select(i => new SafeTensorsEntry(
                $"model.layers.{i}.norm.weight", DType.F32, new TensorShape(16), async (stream, token) => await stream.WriteAsync(new byte[64], token))));
            List<(Measured Measured, Func<Task> Run)> cases =
            [
                (new Measured("1,000 × torch.empty"), EmptyAsync),
                .. Enum.GetValues<TensorStorage>().Select(storage => (new Measured(storage.ToString()), Load(path, storage))),
            ];
            for (int round = -WarmUp; round < rounds; round++)
            {
                foreach ((Measured measured, Func<Task> run) in cases)
                {
                    var watch = Stopwatch.StartNew();
                    await run();
                    if (round >= 0)
                    {
                        measured.Add(watch.Elapsed.TotalSeconds);
                    }
                }
            }

            foreach ((Measured measured, _) in cases)
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{measured.Name,-22} {measured.Median * 1000:F3} ms  {measured.Median / cases[0].Measured.Median:F2} ×"));
            }

            return 0;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static Task EmptyAsync()
    {
        var tensors = new torch.Tensor[Count];
        for (int i = 0; i < Count; i++)
        {
            tensors[i] = torch.empty(Shape, torch.ScalarType.Float32);
        }

        Array.ForEach(tensors, static tensor => tensor.Dispose());
        return Task.CompletedTask;
    }

    private static Func<Task> Load(string path, TensorStorage storage) => async () =>
    {
        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(path, new LoadOptions { Storage = storage });
    };
}
