using TorchSharp;
using TypedWeights.Devices.Cuda;
using TypedWeights.Interop;
using TypedWeights.Interop.Cuda;

namespace TypedWeights.Tests.Simulation;

/// <summary>
/// A machine with GPUs that are not there: both halves of the seam, and a judge over them. Device memory is host memory full of poison;
/// streams run on threads of their own, in any order that the rules of CUDA allow; and what the rules forbid is written down, by what must
/// have happened before what, so that it is found whether or not it did harm this time.
/// </summary>
internal sealed class SimulatedGpu : IDisposable
{
    private readonly List<string> _violations = [];

    /// <param name="seed">Decides the pauses, and which freed memory is read still.</param>
    /// <param name="devices">How many devices there are.</param>
    /// <param name="memory">The memory of each.</param>
    public SimulatedGpu(int seed = 0, int devices = 1, long memory = 64 << 20)
    {
        Seed = seed;
        Random = new Random(seed);
        Devices = [.. Enumerable.Range(0, devices).Select(index => new SimulatedDevice(index, memory, seed))];
        Driver = new SimulatedDriver(this);
        Tensors = new SimulatedTensors(this);
    }

    public int Seed { get; }

    /// <summary>Guards all that is simulated.</summary>
    public Lock Gate { get; } = new();

    public Random Random { get; }

    public IReadOnlyList<SimulatedDevice> Devices { get; }

    public SimulatedDriver Driver { get; }

    public SimulatedTensors Tensors { get; }

    public SimulatedFaults Faults { get; } = new();

    /// <summary>What has been put into streams and may be under way.</summary>
    public SimulatedWork Work { get; } = new();

    public CudaBackend Backend => new(Driver, Tensors);

    /// <summary>The same with something between the engine and the driver.</summary>
    public CudaBackend Behind(ICudaDriver driver) => new(driver, Tensors);

    public IReadOnlyList<string> Violations
    {
        get
        {
            lock (Gate)
            {
                return [.. _violations];
            }
        }
    }

    public void Violate(string what)
    {
        lock (Gate)
        {
            _violations.Add(what);
        }
    }

    /// <summary>Writes down which tensors a user has been given while a copy to them may be under way.</summary>
    public void CheckHandedOver(WeightSet weights)
    {
        foreach ((_, torch.Tensor tensor) in weights)
        {
            CheckHandedOver(tensor);
        }
    }

    /// <summary>Writes down when a user has been given a tensor while a copy to it may be under way.</summary>
    public void CheckHandedOver(torch.Tensor tensor)
    {
        lock (Gate)
        {
            if (Work.IsCopiedTo(TensorData.Address(tensor), Math.Max(1, tensor.numel() * tensor.element_size())))
            {
                Violate("a tensor is handed over before the end of its copy was seen");
            }
        }
    }

    /// <summary>Fails where a rule was broken, and forgets it.</summary>
    public void AssertClean()
    {
        Driver.CheckThreads(TimeSpan.FromMinutes(1));
        lock (Gate)
        {
            string[] found = [.. _violations];
            _violations.Clear();
            Assert.True(found.Length == 0, $"seed {Seed}: {string.Join("; ", found.Take(5))}");
        }
    }

    /// <summary>Fails where a rule was broken, or something of the driver was not given back.</summary>
    public void AssertNothingLeft()
    {
        AssertClean();
        Assert.Equal("0 pinned, 0 streams, 0 events, 0 contexts", Driver.Left());
    }

    public void Dispose()
    {
        Driver.Join();
        foreach (SimulatedDevice device in Devices)
        {
            device.Dispose();
        }
    }
}
