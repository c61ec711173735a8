using TypedWeights.Interop.Cuda;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Cuda;

/// <summary>What the loads of one loader onto GPUs share: the contexts of the devices and the ring of pinned buffers.</summary>
/// <param name="backend">Returns the backend; called by the first load onto a GPU.</param>
/// <param name="staging">The ring's buffers.</param>
internal sealed class CudaEngine(Func<CudaBackend> backend, StagingLimits staging) : IDisposable
{
    private readonly Dictionary<int, CudaContext> _contexts = [];
    private readonly Lock _lock = new();
    private bool _isDisposed;

    /// <summary>The buffers, which are allocated as loads need them.</summary>
    public PinnedRing Ring { get; } = new(staging);

    public IDeviceTensors Tensors => backend().Tensors;

    /// <summary>The context of a device, after a check that tensors can be loaded onto the device.</summary>
    /// <param name="device">The device's index.</param>
    /// <exception cref="WeightsException">No driver, an old driver, a libtorch without CUDA, no such device: the message says what to do.</exception>
    public CudaContext ContextOf(int device)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_contexts.TryGetValue(device, out CudaContext? context))
            {
                return context;
            }

            (ICudaDriver driver, IDeviceTensors tensors) = backend();
            int count = driver.CountDevices();
            if (count == 0)
            {
                throw CudaErrors.NoDevice();
            }

            if (device < 0 || device >= count)
            {
                throw CudaErrors.NoSuchDevice(device, count);
            }

            tensors.EnsureUsable();
            return _contexts[device] = new CudaContext(driver, device);
        }
    }

    /// <summary>Frees everything; what running loads still use is freed when they end.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            Ring.Dispose();
            foreach (CudaContext context in _contexts.Values)
            {
                context.Dispose();
            }

            _contexts.Clear();
        }
    }
}
