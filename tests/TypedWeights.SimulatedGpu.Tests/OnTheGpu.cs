using System.Reflection;
using System.Runtime.CompilerServices;
using TorchSharp;
using TypedWeights.Devices.Cuda;
using TypedWeights.Tests;
using TypedWeights.Tests.Simulation;
using Xunit.v3;

[assembly: OnTheGpu]

namespace TypedWeights.Tests;

/// <summary>
/// Sends every load of this process that names no device to a simulated GPU, and fails each test after which a rule was broken or
/// something is still under way. Tests that are about the simulation itself make one of their own.
/// </summary>
internal sealed class OnTheGpuAttribute : BeforeAfterTestAttribute
{
    /// <summary>The machine of all tests of the loader.</summary>
    public static SimulatedGpu Gpu { get; } = new(seed: 20260101, memory: 512L << 20);

    [ModuleInitializer]
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Usage", "CA2255", Justification = "Before the first load of any test.")]
    internal static void Use()
    {
        TorchNative.EnsureLoaded();
        DeviceDefaults.Backend = Gpu.Backend;
        DeviceDefaults.Device = new torch.Device(DeviceType.CUDA, 0);
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        Gpu.AssertClean();
        Assert.Equal("0 streams, 0 events", Gpu.Driver.Left().Split(", ", 2)[1].Split(", ")[..2] is [var streams, var events] ? $"{streams}, {events}" : "");
    }
}
