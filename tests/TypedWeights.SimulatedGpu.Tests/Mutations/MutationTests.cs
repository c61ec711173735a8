using TorchSharp;
using TypedWeights.Interop.Cuda;
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
    public async Task The_simulation_finds_no_violation_in_an_engine_without_a_fault()
    {
        await LoadAsync(_gpu.Driver);

        _gpu.AssertNothingLeft();
    }

    [Fact]
    public Task The_simulation_finds_a_buffer_that_is_reused_before_its_copy_ended() =>
        AssertFoundAsync(new ReusesAtOnce(_gpu.Driver, copies: 10), "a page-locked buffer is used again before the end of its copy was seen");

    [Fact]
    public Task The_simulation_finds_a_load_that_completes_before_its_copies_ended() =>
        AssertFoundAsync(new CompletesEarly(_gpu.Driver), "a tensor is handed over before the end of its copy was seen");

    [Fact]
    public Task The_simulation_finds_a_missing_wait_for_the_stream_of_torch() => AssertFoundAsync(
        new IgnoresTorch(_gpu.Driver), "a copy writes memory that earlier work in torch's stream reads, and does not wait for it");

    [Fact]
    public Task The_simulation_finds_a_wait_for_another_stream_than_that_of_torch() => AssertFoundAsync(
        new MarksTheWrongStream(_gpu.Driver), "a copy writes memory that earlier work in torch's stream reads, and does not wait for it");

    [Fact]
    public async Task The_simulation_finds_a_missing_drain_when_a_load_is_cancelled()
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
    public async Task The_simulation_finds_a_missing_drain_when_a_copy_fails()
    {
        var mutant = new DoesNotDrain(_gpu.Driver);
        _gpu.Faults.Decide = (call, number) =>
        {
            mutant.HasEnded |= call == "CopyToDevice" && number == 5;
            return call == "CopyToDevice" && number == 5 ? CudaError.InvalidValue : CudaError.Success;
        };
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Behind(mutant));

        await Assert.ThrowsAsync<WeightsException>(() => loader.LoadTensorsAsync(_path, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("device memory is freed under a copy that nobody has seen the end of", _gpu.Violations);
    }

    [Fact]
    public Task The_simulation_finds_a_copy_that_is_too_long() =>
        AssertFoundAsync(new CopiesTooMuch(_gpu.Driver), "a copy writes beyond an allocation of its device", TensorStorage.PerTensor);

    [Fact]
    public async Task The_simulation_finds_a_context_that_is_left_on_a_thread()
    {
        await LoadAsync(new LeavesContexts(_gpu.Driver));

        _gpu.Driver.CheckThreads(TimeSpan.Zero);
        Assert.Contains(_gpu.Violations, found => found.Contains("was left with", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_simulation_finds_a_call_in_the_context_of_another_device()
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
    public async Task The_simulation_finds_pinned_memory_streams_and_events_that_are_never_freed(string what)
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
