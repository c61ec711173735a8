using TorchSharp;
using TypedWeights.Interop.Cuda;
using TypedWeights.Interop.Cuda.Native;
using TypedWeights.Tests.Simulation;

namespace TypedWeights.Tests.Mutations;

/// <summary>Tests of the tests: an engine with a fault in it does not get past the simulation.</summary>
public sealed class MutationTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly SimulatedGpu _gpu = new(seed: 1, devices: 2);
    private readonly string _path;

    public MutationTests() => _path = TestFile.Write(_folder["m.safetensors"], SimulatedLoads.Entries);

    public void Dispose()
    {
        _folder.Dispose();
        _gpu.Dispose();
    }

    [Fact]
    public async Task Without_a_fault_nothing_is_found()
    {
        await LoadAsync(_gpu.Driver);

        _gpu.AssertNothingLeft();
    }

    [Fact]
    public Task A_buffer_that_is_used_again_without_waiting_is_found() =>
        AssertFoundAsync(new ReusesAtOnce(_gpu.Driver, copies: 10), "a page-locked buffer is used again before the end of its copy was seen");

    [Fact]
    public Task A_load_that_is_complete_too_early_is_found() =>
        AssertFoundAsync(new CompletesEarly(_gpu.Driver), "a tensor is handed over before the end of its copy was seen");

    [Fact]
    public Task A_missing_wait_for_torchs_stream_is_found() => AssertFoundAsync(
        new IgnoresTorch(_gpu.Driver), "a copy writes memory that earlier work in torch's stream reads, and does not wait for it");

    [Fact]
    public Task A_wait_for_another_stream_than_torchs_is_found() => AssertFoundAsync(
        new MarksTheWrongStream(_gpu.Driver), "a copy writes memory that earlier work in torch's stream reads, and does not wait for it");

    [Fact]
    public async Task A_drain_that_is_left_out_when_a_load_is_cancelled_is_found()
    {
        var mutant = new DoesNotDrain(_gpu.Driver);
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Behind(mutant));
        using var cancel = new CancellationTokenSource();
        _gpu.Faults.Decide = (call, number) =>
        {
            if (call == "CopyToDevice" && number == 3)
            {
                mutant.HasEnded = true;
                cancel.Cancel();
            }

            return CudaError.Success;
        };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loader.LoadTensorsAsync(_path, cancellationToken: cancel.Token));

        Assert.Contains("device memory is freed under a copy that nobody has seen the end of", _gpu.Violations);
    }

    [Fact]
    public async Task A_drain_that_is_left_out_when_a_copy_fails_is_found()
    {
        _gpu.Faults.Decide = (call, number) => call == "CopyToDevice" && number == 5 ? CudaError.InvalidValue : CudaError.Success;
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Behind(new DoesNotDrain(_gpu.Driver)));

        await Assert.ThrowsAsync<WeightsException>(() => loader.LoadTensorsAsync(_path, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("device memory is freed under a copy that nobody has seen the end of", _gpu.Violations);
    }

    [Fact]
    public Task A_copy_that_is_too_long_is_found() =>
        AssertFoundAsync(new CopiesTooMuch(_gpu.Driver), "a copy writes beyond an allocation of its device", TensorStorage.PerTensor);

    [Fact]
    public async Task A_context_that_is_left_on_a_thread_is_found()
    {
        await LoadAsync(new LeavesContexts(_gpu.Driver));

        _gpu.Driver.CheckThreads(TimeSpan.Zero);
        Assert.Contains(_gpu.Violations, found => found.Contains("was left with", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_call_in_the_context_of_another_device_is_found()
    {
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Behind(new TakesTheWrongContext(_gpu.Driver)));
        foreach (int device in new[] { 0, 1 })
        {
            using WeightSet weights = await loader.LoadTensorsAsync(
                _path,
                new TensorLoadOptions { Device = new torch.Device(DeviceType.CUDA, device) },
                cancellationToken: TestContext.Current.CancellationToken);
        }

        Assert.Contains("a copy writes beyond an allocation of its device", _gpu.Violations);
    }

    [Theory]
    [InlineData("pinned")]
    [InlineData("streams")]
    [InlineData("events")]
    public async Task What_is_never_given_back_is_found(string what)
    {
        await LoadAsync(new Leaks(_gpu.Driver, what));

        Assert.DoesNotContain($"0 {what}", _gpu.Driver.Left(), StringComparison.Ordinal);
    }

    private async Task LoadAsync(ICudaDriver driver, TensorStorage storage = TensorStorage.Arena)
    {
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Behind(driver));
        using WeightSet weights = await loader.LoadTensorsAsync(
            _path, new TensorLoadOptions { Storage = storage }, cancellationToken: TestContext.Current.CancellationToken);
        _gpu.CheckHandedOver(weights);
    }

    private async Task AssertFoundAsync(ICudaDriver mutant, string violation, TensorStorage storage = TensorStorage.Arena)
    {
        await LoadAsync(mutant, storage);

        Assert.Contains(violation, _gpu.Violations);
    }
}
