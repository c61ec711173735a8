using System.Globalization;
using TypedWeights.Interop.Cuda;
using TypedWeights.Memory;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Cuda;

/// <summary>The pinned buffers that all loads of a loader share.</summary>
internal sealed class PinnedRing(StagingLimits limits) : IDisposable
{
    // With fewer buffers reads would wait for copies: one is copied, one is filled, and two more keep the source busy.
    private const int Least = 4;

    private readonly Lock _growing = new();
    private readonly BufferPool _buffers = new();
    private int _count;

    /// <summary>The bytes of each buffer.</summary>
    public int BufferSize => limits.BufferSize;

    /// <summary>The memory that the ring needs for a load.</summary>
    public long SizeFor(TransferPlan plan) => limits.SizeFor(plan);

    /// <summary>Allocates the buffers that a load can use; fewer where the system does not pin as much memory.</summary>
    /// <param name="context">Allocates them; they serve all devices.</param>
    /// <param name="plan">What the load will read.</param>
    /// <exception cref="WeightsException">The system does not pin the minimum of buffers.</exception>
    public void Grow(CudaContext context, TransferPlan plan)
    {
        int wanted = limits.BuffersFor(plan);
        lock (_growing)
        {
            try
            {
                for (; _count < wanted; _count++)
                {
                    _buffers.Return(new PinnedBuffer(CudaHandle.Pinned(context, limits.BufferSize), limits.BufferSize));
                }
            }
            catch (CudaException e) when (!e.IsSticky)
            {
                if (_count < Math.Min(wanted, Least))
                {
                    throw new WeightsException(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"Could not pin {Least * (long)limits.BufferSize:N0} bytes of host memory for copies to {context.Title}: {e.Message} ")
                            + "Free host memory, raise the limit of locked memory (ulimit -l), or lower TransferOptions.StagingSize.",
                        e);
                }
            }
        }
    }

    /// <summary>Takes a buffer, after the tasks that have waited longer.</summary>
    /// <exception cref="ObjectDisposedException">The loader has been disposed.</exception>
    public ValueTask<NativeMemoryManager> TakeAsync(CancellationToken cancellationToken) => _buffers.TakeAsync(cancellationToken);

    /// <summary>Returns a buffer that is no longer read or written.</summary>
    public void Return(NativeMemoryManager buffer) => _buffers.Return(buffer);

    /// <summary>Frees the buffers; those in use are freed when they are returned.</summary>
    public void Dispose() => _buffers.Dispose();

    private sealed class PinnedBuffer(CudaHandle memory, int length) : NativeMemoryManager(memory.Value, length)
    {
        protected override void Dispose(bool disposing)
        {
            memory.Dispose();
            base.Dispose(disposing);
        }
    }
}
