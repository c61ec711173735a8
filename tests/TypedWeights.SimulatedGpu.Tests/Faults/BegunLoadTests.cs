using TorchSharp;
using TypedWeights.Interop.Cuda;
using TypedWeights.Tests.Loading.Early;
using TypedWeights.Tests.Simulation;

namespace TypedWeights.Tests.Faults;

/// <summary>A model on two devices that is used as it comes, and whose load ends in some way at each call of the driver in turn.</summary>
public sealed class BegunLoadTests : IDisposable
{
    private const string Disposed = "the model is disposed";

    private readonly TempFolder _folder = new();
    private readonly string _path;

    private readonly LoadOptions _options = new()
    {
        Device = new torch.Device(DeviceType.CUDA, 0),
        Placement = new Placement().Put("model.layers.{6..11}.*", "cuda:1").Put("model.norm.weight", "cpu"),
    };

    public BegunLoadTests() => _path = TestFile.Write(_folder["model.safetensors"], LayeredModel.File, LayeredModel.Tied);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a call fails")]
    [InlineData("the token is cancelled")]
    [InlineData(Disposed)]
    [InlineData("the loader is disposed")]
    public async Task Every_wait_ends_when_a_begun_load_ends_at_any_driver_call(string how)
    {
        int calls = await RunAsync(how, 0);
        for (int at = 1; at <= calls; at++)
        {
            await RunAsync(how, at);
        }
    }

    // How many calls there were.
    private async Task<int> RunAsync(string how, int at)
    {
        using var gpu = new SimulatedGpu(at, devices: 2, memory: 4 << 20);
        using var cancel = new CancellationTokenSource();
        WeightLoader loader = SimulatedLoads.Loader(gpu.Backend);
        var begun = new TaskCompletionSource<LayeredModel?>(TaskCreationOptions.RunContinuationsAsynchronously);
        Task ending = Task.CompletedTask;
        int calls = 0;
        gpu.Faults.Decide = (_, _) =>
        {
            if (Interlocked.Increment(ref calls) != at)
            {
                return CudaError.Success;
            }

            switch (how)
            {
                case "a call fails":
                    return CudaError.Unknown;
                case "the token is cancelled":
                    cancel.Cancel();
                    break;
                case Disposed:
                    ending = Task.Run(async () => (await begun.Task)?.Dispose(), Token);
                    break;
                default:
                    ending = Task.Run(async () => await loader.DisposeAsync(), Token);
                    break;
            }

            return CudaError.Success;
        };
        LayeredModel? model = null;
        try
        {
            model = await loader.BeginLoadAsync<LayeredModel>(_path, _options, null, cancel.Token).WaitAsync(TimeSpan.FromSeconds(60), Token);
            begun.SetResult(model);
            await WaitAsync(model, how == Disposed ? null : gpu);
        }
        catch (Exception e) when (at > 0 && e is WeightsException or OperationCanceledException or ObjectDisposedException)
        {
            // As it was meant; and an end that comes too late is seen by nobody.
        }
        finally
        {
            begun.TrySetResult(null);
        }

        model?.Dispose();
        await ending.WaitAsync(TimeSpan.FromSeconds(60), Token);
        await loader.DisposeAsync();
        gpu.AssertClean();
        Assert.All(gpu.Devices, device => Assert.Equal(0, device.LiveBlocks));
        if (how != "a call fails")
        {
            gpu.AssertNothingLeft();
        }

        return calls;
    }

    // All waits at once: whatever ends the load ends each of them. Tensors of a model that may be disposed meanwhile are left alone.
    private static async Task WaitAsync(LayeredModel model, SimulatedGpu? gpu)
    {
        Task[] waits = [.. model.Model.Layers.Select(layer => layer.WhenReadyAsync(Token)), model.WhenReadyAsync(Token)];
        for (int i = 0; i < waits.Length - 1; i++)
        {
            await waits[i].WaitAsync(TimeSpan.FromSeconds(60), Token);
            string name = $"model.layers.{i}.attn.weight";
            Assert.Equal(i < 6 ? 0 : 1, model.Weights.Entry(name).Device.index);
            if (gpu is not null)
            {
                gpu.CheckHandedOver(model.Weights[name]);
                LayeredModel.AssertIs(name, model.Weights[name]);
            }
        }

        await waits[^1].WaitAsync(TimeSpan.FromSeconds(60), Token);
    }
}
