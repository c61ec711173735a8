using TorchSharp;
using TypedWeights.Devices.Cuda;
using TypedWeights.Interop.Cuda;
using TypedWeights.Tests.Simulation;

namespace TypedWeights.Tests;

/// <summary>What stands in the way of a GPU is said in one sentence, before anything is asked of the source.</summary>
public sealed class DeviceErrorTests : IDisposable
{
    private readonly SimulatedGpu _gpu = new(devices: 2);

    public void Dispose() => _gpu.Dispose();

    [Fact]
    public async Task A_machine_without_a_driver_is_an_error_that_says_to_install_one()
    {
        Assert.SkipWhen(CudaDriver.IsPresent, "this machine has a driver");

        string message = await FailAsync(CudaBackend.System, new TensorLoadOptions { Device = Cuda(0) });

        Assert.Contains(CudaDriver.FileName, message, StringComparison.Ordinal);
        Assert.Contains("Install NVIDIA's driver", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_libtorch_without_CUDA_is_an_error_that_names_the_packages()
    {
        Assert.SkipWhen(torch.cuda.is_available(), "this libtorch has CUDA");

        WeightsException error = Assert.Throws<WeightsException>(new TorchTensors().EnsureUsable);

        Assert.Contains("TorchSharp-cuda-linux or TorchSharp-cuda-windows", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_libtorch_without_CUDA_is_refused_before_a_context_is_retained()
    {
        _gpu.Tensors.Unusable = CudaErrors.CpuOnlyLibtorch();

        Assert.Contains("built without CUDA", await FailAsync(_gpu.Backend, new() { Device = Cuda(1) }), StringComparison.Ordinal);

        _gpu.AssertNothingLeft();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(40)]
    public async Task An_absent_device_is_an_error_that_lists_the_present_ones(int index) => Assert.Equal(
        $"There is no cuda:{index}: this process sees 2 GPUs, cuda:0 to cuda:1. Choose one of them in the option Device.",
        await FailAsync(_gpu.Backend, new() { Device = Cuda(index) }));

    // By the driver's numbers: 711 to 713 (peers, registered memory) lie among those that end a context, and do not.
    [Theory]
    [InlineData("1 2 100 101 201 400 600 701 704 711 712 713 720 803 999", false)]
    [InlineData("4 214 220 226 700 702 709 710 714 715 716 717 718 719", true)]
    public void Only_an_error_that_destroys_the_context_says_that_a_restart_is_needed(string errors, bool isSticky) => Assert.All(
        errors.Split(' ').Select(int.Parse),
        error =>
        {
            var exception = new CudaException((CudaError)error, "cuCall()", "NAME", "words");
            Assert.Equal(isSticky, exception.IsSticky);
            Assert.Equal(isSticky, exception.Message.Contains("restart the process", StringComparison.Ordinal));
        });

    [Fact]
    public async Task A_driver_without_devices_is_an_error_that_says_no_GPU_was_found()
    {
        using var none = new SimulatedGpu(devices: 0);

        Assert.Contains("finds no GPU", await FailAsync(none.Backend, new() { Device = Cuda(0) }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_other_than_cpu_and_cuda_is_refused() => Assert.Contains(
        "Loading onto mps is not supported",
        await FailAsync(_gpu.Backend, new() { Device = new torch.Device(DeviceType.MPS) }),
        StringComparison.Ordinal);

    [Fact]
    public async Task Mapped_storage_is_refused_for_a_GPU() => Assert.Contains(
        "TensorStorage.Mapped maps the file into host memory",
        await FailAsync(_gpu.Backend, new() { Device = Cuda(0), Storage = TensorStorage.Mapped }),
        StringComparison.Ordinal);

    [Fact]
    public async Task Tensors_larger_than_the_device_memory_are_refused_with_the_numbers()
    {
        using var folder = new TempFolder();
        string path = TestFile.Write(folder["m.safetensors"], [TestFile.Noise("a", "U8", 8, 70 << 20)]);
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Backend);

        MemoryLimitException error = await Assert.ThrowsAsync<MemoryLimitException>(
            () => loader.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Equal((70L << 20, 64L << 20), (error.TensorBytes, error.Limit));
        Assert.Equal(0, _gpu.Faults.Count("AllocatePinned"));
        Assert.EndsWith(
            ": 73,400,320 bytes for tensors: more than cuda:0 has: 67,108,864 of its 67,108,864 bytes were free. "
                + "Free memory there, use another device, or load fewer tensors (Filter, in an untyped load).",
            error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Memory_that_torch_holds_free_in_its_own_allocator_does_not_refuse_a_load()
    {
        using var folder = new TempFolder();
        string path = TestFile.Write(folder["m.safetensors"], [TestFile.Noise("a", "U8", 8, 40 << 20)]);
        await using WeightLoader loader = SimulatedLoads.Loader(_gpu.Backend);
        for (int round = 0; round < 3; round++)
        {
            using WeightSet weights = await loader.LoadTensorsAsync(path, cancellationToken: TestContext.Current.CancellationToken);
        }

        Assert.Equal(24L << 20, _gpu.Devices[0].Free);
    }

    private static torch.Device Cuda(int index) => new(DeviceType.CUDA, index);

    private static async Task<string> FailAsync(CudaBackend backend, TensorLoadOptions options)
    {
        await using WeightLoader loader = SimulatedLoads.Loader(backend);
        WeightsException error = await Assert.ThrowsAsync<WeightsException>(
            () => loader.LoadTensorsAsync("/absent.safetensors", options, cancellationToken: TestContext.Current.CancellationToken));
        return error.Message;
    }
}
