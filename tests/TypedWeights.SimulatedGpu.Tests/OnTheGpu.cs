using System.Reflection;
using System.Runtime.CompilerServices;
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
    private (int Streams, int Events) _before;

    /// <summary>The machine of all tests of the loader.</summary>
    public static SimulatedGpu Gpu { get; } = new(seed: 20260101, memory: 512L << 20);

    [ModuleInitializer]
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Usage", "CA2255", Justification = "Before the first load of any test.")]
    internal static void Use()
    {
        TorchNative.EnsureLoaded();
        CudaBackend.Simulated = Gpu.Backend;
    }

    public override void Before(MethodInfo methodUnderTest, IXunitTest test) => _before = Gpu.Driver.Running;

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        Gpu.AssertClean();

        // Of the loader that lives as long as the process the ring and the context stay.
        Assert.Equal(_before, Gpu.Driver.Running);
    }
}
