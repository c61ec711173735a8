using System.Globalization;

namespace TypedWeights.Interop.Cuda;

/// <summary>The errors of a GPU that cannot be used; each says what to install or change.</summary>
internal static class CudaErrors
{
    private const string Driver = "Install NVIDIA's driver, version 525 or later";

    private const string Cpu = "or load onto the CPU (the option Device = null)";

    public static WeightsException NoDriver(string library) => new(
        $"NVIDIA's driver is not installed: {library} was not found. {Driver} (in a container: start it with access to the GPU), {Cpu}.");

    public static WeightsException NoDevice() => new(
        $"NVIDIA's driver finds no GPU. Make one visible (CUDA_VISIBLE_DEVICES may hide it), {Cpu}.");

    public static WeightsException DriverLacks(EntryPointNotFoundException inner) => new(
        $"NVIDIA's driver is too old: it lacks an entry point ({inner.Message.TrimEnd('.')}). {Driver}, {Cpu}.", inner);

    public static WeightsException DriverMismatch(string error) => new(
        $"The versions of NVIDIA's driver library and kernel module differ: {error}. "
            + $"Restart the machine after an update of the driver, remove all drivers but one, {Cpu}.");

    public static WeightsException DriverTooOld(int version, int least) => new(
        $"NVIDIA's driver is too old: it supports CUDA {Version(version)}, and libtorch requires at least {Version(least)}. {Driver}, {Cpu}.");

    public static WeightsException NoSuchDevice(int device, int count) => new(string.Create(
        CultureInfo.InvariantCulture,
        $"There is no cuda:{device}: this process sees {count} GPU{(count == 1 ? "" : "s")}, "
            + $"{(count == 1 ? "cuda:0" : $"cuda:0 to cuda:{count - 1}")}. Choose one of them in the option Device."));

    public static WeightsException CpuOnlyLibtorch(Exception? inner = null) => new(
        "NVIDIA's driver is installed, but the libtorch of this application was built without CUDA or cannot use the GPU "
            + "(torch.cuda.is_available() is false). Reference TorchSharp-cuda-linux or TorchSharp-cuda-windows instead of TorchSharp-cpu, "
            + $"with a driver of version 525 or later, {Cpu}.",
        inner);

    private static string Version(int version) => string.Create(CultureInfo.InvariantCulture, $"{version / 1000}.{version % 1000 / 10}");
}
