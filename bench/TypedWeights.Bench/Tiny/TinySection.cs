using TorchSharp;
using TypedWeights.Bench.Figures;

namespace TypedWeights.Bench.Tiny;

/// <summary>
/// A file of 1,000 tiny tensors, from its path to tensors by name, against 1,000 calls of <c>torch.empty</c>. Both free their tensors while
/// the clock runs.
/// </summary>
internal static class TinySection
{
    private const int Count = 1000;

    // The runtime recompiles hot methods in the background, with the profile that it has collected. After that, the process is warm.
    private const int WarmUp = 400;
    private const int RoundsForEach = 30;
    private const string Bare = "minimal loader: read, JSON, from_blob";
    private static readonly long[] Shape = [16];

    public static async Task<IReadOnlyList<Figure>> RunAsync(Measurement measurement)
    {
        TorchNative.EnsureLoaded();
        string path = Path.Combine(measurement.Folder, "tiny.safetensors");
        await SafeTensorsWriter.WriteAsync(path, Enumerable.Range(0, Count).Select(i => new SafeTensorsEntry(
            $"model.layers.{i}.norm.weight",
            DType.F32,
            new TensorShape(16),
            async (stream, token) => await stream.WriteAsync(new byte[64], token))));
        List<Case> cases =
        [
            new Case("1,000 × torch.empty", EmptyAsync),
            new Case(Bare, BareAsync(path)),
            .. Enum.GetValues<TensorStorage>().Select(storage => new Case(storage.ToString(), Load(path, storage))),
        ];
        int rounds = measurement.Rounds * RoundsForEach;
        for (int round = -WarmUp; round < rounds; round++)
        {
            for (int i = 0; i < cases.Count; i++)
            {
                Case next = cases[(i + round + WarmUp) % cases.Count];
                Sample sample = await next.Run();
                if (round >= 0)
                {
                    next.Measured.Add(sample);
                }
            }

            if ((round + WarmUp) % 50 == 0)
            {
                // The table shows only the default storage; the other values are printed for information.
                Console.WriteLine($"round {round,4}  " + string.Join("  ", cases.Select(item => $"{item.Name} {item.Measured.Last}")));
            }
        }

        IEnumerable<string> medians = cases.Select(item => Text.Of($"{item.Name} {item.Measured.Median * 1000:F3} ms"));
        Console.WriteLine("medians     " + string.Join("  ", medians));
        Measured ours = cases.Single(item => item.Name == nameof(TensorStorage.Arena)).Measured;
        double ratio = ours.Median / cases[0].Measured.Median;
        return
        [
            new Figure(
                "1,000 tiny tensors, warm",
                Text.Of($"{ours.Median * 1000:F2} ms"),
                Text.Of($"{cases[0].Name}: {cases[0].Measured.Median * 1000:F2} ms"),
                $"{Text.Of(ratio)} ×",
                "≤ 1.5 ×",
                ratio <= 1.5),
            new Figure(
                "1,000 tiny tensors, warm",
                Text.Of($"{ours.Median * 1000:F2} ms"),
                Text.Of($"{Bare}: {cases[1].Measured.Median * 1000:F2} ms"),
                $"{Text.Of(ours.Median / cases[1].Measured.Median)} ×",
                "",
                Ok: true),
        ];
    }

    private static Task<Sample> EmptyAsync() => Sample.OfAsync(() =>
    {
        var tensors = new torch.Tensor[Count];
        for (int i = 0; i < Count; i++)
        {
            tensors[i] = torch.empty(Shape, torch.ScalarType.Float32);
        }

        Array.ForEach(tensors, static tensor => tensor.Dispose());
        return Task.CompletedTask;
    });

    private static Func<Task<Sample>> BareAsync(string path) => () => Sample.OfAsync(() =>
    {
        BareLoad.Run(path);
        return Task.CompletedTask;
    });

    private static Func<Task<Sample>> Load(string path, TensorStorage storage) => () => Sample.OfAsync(async () =>
    {
        using WeightSet weights = await WeightLoader.Default.LoadTensorsAsync(path, new TensorLoadOptions { Storage = storage });
    });
}
