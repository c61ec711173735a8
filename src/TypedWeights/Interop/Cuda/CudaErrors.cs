using System.Globalization;

namespace TypedWeights.Interop.Cuda;

/// <summary>Why a GPU cannot be used, each in one sentence that says what to install or change.</summary>
internal static class CudaErrors
{
    private const string Driver = "Install NVIDIA's driver, version 525 or later";

    private const string Cpu = "or load onto the CPU (the option Device = null)";

    public static WeightsException NoDriver(string library) => new(
        $"There is no NVIDIA driver on this system: {library} was not found. {Driver} (in a container: start it with the GPU made visible), {Cpu}.");

    public static WeightsException NoDevice() => new(
        $"NVIDIA's driver finds no GPU. Make one visible (CUDA_VISIBLE_DEVICES may hide it), {Cpu}.");

    public static WeightsException DriverLacks(EntryPointNotFoundException inner) => new(
        $"NVIDIA's driver is too old: it lacks an entry point ({inner.Message.TrimEnd('.')}). {Driver}, {Cpu}.", inner);

    public static WeightsException DriverMismatch(string error) => new(
        $"NVIDIA's driver does not fit itself: {error}, its library and its kernel module are of different versions. "
            + $"Restart the machine after an update of the driver, or install one driver alone, {Cpu}.");

    public static WeightsException DriverTooOld(int version, int least) => new(
        $"NVIDIA's driver is too old: it serves CUDA {Version(version)}, and libtorch needs {Version(least)} at least. {Driver}, {Cpu}.");

    public static WeightsException NoSuchDevice(int device, int count) => new(string.Create(
        CultureInfo.InvariantCulture,
        $"There is no cuda:{device}: this process sees {count} GPU{(count == 1 ? "" : "s")}, "
            + $"{(count == 1 ? "cuda:0" : $"cuda:0 to cuda:{count - 1}")}. Choose one of them in the option Device."));

    public static WeightsException CpuOnlyLibtorch(Exception? inner = null) => new(
        "NVIDIA's driver is there, but the libtorch of this application is built without CUDA or cannot use the GPU "
            + "(torch.cuda.is_available() is false). Reference TorchSharp-cuda-linux or TorchSharp-cuda-windows in the place of TorchSharp-cpu, "
            + $"with a driver of version 525 or later, {Cpu}.",
        inner);

    private static string Version(int version) => string.Create(CultureInfo.InvariantCulture, $"{version / 1000}.{version % 1000 / 10}");
}
