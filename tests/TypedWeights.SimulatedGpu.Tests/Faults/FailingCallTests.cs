using TypedWeights.Interop.Cuda;
using TypedWeights.Tests.Simulation;

namespace TypedWeights.Tests.Faults;

/// <summary>Whatever call of the driver fails, the load ends with one error or does without the call, and breaks no rule.</summary>
public sealed class FailingCallTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _path;

    public FailingCallTests() => _path = TestFile.Write(_folder["m.safetensors"], SimulatedLoads.Entries);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    public async Task A_load_survives_or_reports_a_failure_of_any_driver_call(TensorStorage storage)
    {
        int calls;
        using (var gpu = new SimulatedGpu(memory: 4 << 20))
        {
            await SimulatedLoads.LoadAsync(gpu, _path, storage);
            calls = gpu.Faults.Calls;
        }

        for (int failing = 1; failing <= calls; failing++)
        {
            using var gpu = new SimulatedGpu(failing, memory: 4 << 20);
            gpu.Faults.FailingCall = failing;
            await using (WeightLoader loader = SimulatedLoads.Loader(gpu.Backend))
            {
                await TryLoadAsync(loader, storage, gpu);

                // What failed once does not fail the next load.
                gpu.Faults.FailingCall = 0;
                using WeightSet again = await loader.LoadTensorsAsync(_path, new() { Storage = storage }, cancellationToken: Token);
                gpu.CheckHandedOver(again);
                SimulatedLoads.AssertWhole(again);
            }

            gpu.AssertClean();
            Assert.Equal(0, gpu.Devices[0].LiveBlocks);
        }
    }

    [Fact]
    public async Task A_failed_allocation_of_any_tensor_frees_everything_and_reports_the_numbers()
    {
        for (int failing = 1; failing <= SimulatedLoads.Entries.Length - 1; failing++)
        {
            using var gpu = new SimulatedGpu(failing, memory: 4 << 20);
            gpu.Faults.FailingTensor = failing;
            await using (WeightLoader loader = SimulatedLoads.Loader(gpu.Backend))
            {
                MemoryLimitException error = await Assert.ThrowsAsync<MemoryLimitException>(
                    () => loader.LoadTensorsAsync(_path, new() { Storage = TensorStorage.PerTensor }, cancellationToken: Token));

                Assert.Matches(
                    "m.safetensors: [0-9,]+ bytes for tensors: more than cuda:0 has: [0-9,]+ of its 4,194,304 bytes were free",
                    error.Message);
                Assert.DoesNotContain('\n', error.Message);
                Assert.Equal(0, gpu.Devices[0].LiveBlocks);
            }

            gpu.AssertNothingLeft();
        }
    }

    [Fact]
    public async Task A_failed_copy_is_an_error_that_names_the_tensor_and_the_device()
    {
        using var gpu = new SimulatedGpu();
        gpu.Faults.Decide = (call, number) => call == "CopyToDevice" && number == 1 ? CudaError.InvalidValue : CudaError.Success;
        await using WeightLoader loader = SimulatedLoads.Loader(gpu.Backend);

        WeightsException error = await Assert.ThrowsAsync<WeightsException>(() => loader.LoadTensorsAsync(_path, cancellationToken: Token));

        Assert.Equal(
            "Copying \"large\" to cuda:0 failed: cuCopyToDevice(simulated) returned CUDA_ERROR_InvalidValue: simulated.", error.Message);
        gpu.AssertClean();
    }

    [Fact]
    public async Task A_lost_context_is_an_error_that_says_a_restart_is_needed()
    {
        using var gpu = new SimulatedGpu();
        gpu.Faults.BreakingCopy = 2;
        await using WeightLoader loader = SimulatedLoads.Loader(gpu.Backend);

        WeightsException error = await Assert.ThrowsAnyAsync<WeightsException>(() => loader.LoadTensorsAsync(_path, cancellationToken: Token));

        Assert.Contains("Copying \"", error.Message, StringComparison.Ordinal);
        Assert.Contains("The CUDA context of this process is lost; restart the process", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("RetainPrimaryContext")]
    [InlineData("MemoryInfo")]
    [InlineData("AllocatePinned")]
    [InlineData("CreateStream")]
    [InlineData("WaitEvent")]
    public async Task A_load_cancelled_before_its_first_reader_starts_ends(string call)
    {
        using var gpu = new SimulatedGpu();
        using var cancel = new CancellationTokenSource();
        gpu.Faults.Decide = (now, _) =>
        {
            if (now == call)
            {
                cancel.Cancel();
            }

            return CudaError.Success;
        };
        await using (WeightLoader loader = SimulatedLoads.Loader(gpu.Backend))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(
                () => loader.LoadTensorsAsync(_path, cancellationToken: cancel.Token).WaitAsync(TimeSpan.FromSeconds(60), Token));
        }

        gpu.AssertNothingLeft();
    }

    private async Task TryLoadAsync(WeightLoader loader, TensorStorage storage, SimulatedGpu gpu)
    {
        try
        {
            using WeightSet weights = await loader.LoadTensorsAsync(_path, new() { Storage = storage }, cancellationToken: Token);
            gpu.CheckHandedOver(weights);
            SimulatedLoads.AssertWhole(weights);
        }
        catch (WeightsException e)
        {
            Assert.Contains("simulated", e.Message, StringComparison.Ordinal);
        }
    }
}
