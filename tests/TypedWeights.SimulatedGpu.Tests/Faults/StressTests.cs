using TypedWeights.Tests.Simulation;

namespace TypedWeights.Tests.Faults;

/// <summary>A thousand small loads, each with other pauses, other memory read still, and now and then another end.</summary>
public sealed class StressTests : IDisposable
{
    private const int Seeds = 1000;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_thousand_random_loads_break_no_rule_of_the_driver()
    {
        string path = TestFile.Write(_folder["m.safetensors"], SimulatedLoads.Entries);
        for (int seed = 0; seed < Seeds; seed++)
        {
            using var gpu = new SimulatedGpu(seed, memory: 4 << 20);
            var random = new Random(seed);
            await using (WeightLoader loader = SimulatedLoads.Loader(gpu.Backend))
            {
                // Two side by side, the second in memory that the first may just have freed.
                Task first = LoadAsync(gpu, loader, path, random.Next(3) == 0 ? random.Next(1, 30) : 0, random);
                if (random.Next(2) == 0)
                {
                    await first;
                }

                await Task.WhenAll(first, LoadAsync(gpu, loader, path, 0, random));
            }

            gpu.AssertNothingLeft();
        }
    }

    // Cancelled at the n-th call of the driver from now on, where n is not 0.
    private static async Task LoadAsync(SimulatedGpu gpu, WeightLoader loader, string path, int cancelAt, Random random)
    {
        // Not disposed: the other load may be about to cancel it once more.
        var cancel = new CancellationTokenSource();
        int until = gpu.Faults.Calls + cancelAt;
        if (cancelAt > 0)
        {
            gpu.Faults.Decide = (_, _) =>
            {
                if (gpu.Faults.Calls >= until)
                {
                    cancel.Cancel();
                }

                return default;
            };
        }

        var options = new TensorLoadOptions { Storage = random.Next(2) == 0 ? TensorStorage.Arena : TensorStorage.PerTensor };
        try
        {
            using WeightSet weights = await loader.LoadTensorsAsync(path, options, cancellationToken: cancel.Token);
            gpu.CheckHandedOver(weights);
            SimulatedLoads.AssertWhole(weights);
        }
        catch (OperationCanceledException) when (cancelAt > 0)
        {
            // As it was meant.
        }
        finally
        {
            if (cancelAt > 0)
            {
                gpu.Faults.Decide = null;
            }
        }
    }
}
