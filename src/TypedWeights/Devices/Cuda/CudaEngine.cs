using TypedWeights.Devices.Cuda.Staging;
using TypedWeights.Interop.Cuda;
using TypedWeights.Interop.Cuda.Handles;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Cuda;

/// <summary>What the loads of one loader onto GPUs share: the contexts of the devices and the ring of page-locked buffers.</summary>
internal sealed class CudaEngine : IDisposable
{
    private readonly Func<CudaBackend> _backend;
    private readonly Dictionary<int, CudaContext> _contexts = [];
    private readonly Lock _lock = new();
    private bool _isDisposed;

    /// <param name="backend">Gives both halves of the seam, when the first load onto a GPU asks for them.</param>
    /// <param name="staging">The ring's buffers.</param>
    public CudaEngine(Func<CudaBackend> backend, StagingLimits staging)
    {
        _backend = backend;
        Ring = new PinnedRing(staging);
    }

    /// <summary>The buffers. They are allocated as loads need them.</summary>
    public PinnedRing Ring { get; }

    public IDeviceTensors Tensors => _backend().Tensors;

    /// <summary>A device's context, after all has been checked that must be there to load onto it.</summary>
    /// <param name="device">The device's index.</param>
    /// <exception cref="WeightsException">No driver, an old one, a libtorch without CUDA, no such device: the message says what to do.</exception>
    public CudaContext ContextOf(int device)
    {
        lock (_lock)
        {
            DisposedLoader.ThrowIf(_isDisposed);
            if (_contexts.TryGetValue(device, out CudaContext? context))
            {
                return context;
            }

            (ICudaDriver driver, IDeviceTensors tensors) = _backend();
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
            return _contexts[device] = CudaContext.Retain(driver, device);
        }
    }

    /// <summary>Gives all of it back; what running loads still use follows when they end.</summary>
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
