using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using TypedWeights.Memory;

namespace TypedWeights.Devices;

/// <summary>
/// Buffers that tasks use in turn. A task that finds no free buffer waits until one is returned, and must not hold another one meanwhile.
/// After the pool is disposed, each buffer is disposed when it is returned.
/// </summary>
internal sealed class BufferPool : IDisposable
{
    private readonly ConcurrentStack<NativeMemoryManager> _free = new();
    private readonly SemaphoreSlim _available = new(0);
    private volatile bool _isDisposed;

    /// <summary>Takes a buffer, the one that was used last if several are free.</summary>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    public async ValueTask<NativeMemoryManager> TakeAsync(CancellationToken cancellationToken)
    {
        await _available.WaitAsync(cancellationToken).ConfigureAwait(false);
        return _free.TryPop(out NativeMemoryManager? buffer) ? buffer : throw new ObjectDisposedException(nameof(BufferPool));
    }

    /// <summary>Adds a buffer, or returns it.</summary>
    public void Return(NativeMemoryManager buffer)
    {
        _free.Push(buffer);
        if (_isDisposed)
        {
            DisposeFree();
        }

        _available.Release();
    }

    /// <summary>The buffer that memory is a part of.</summary>
    public static NativeMemoryManager BufferOf(Memory<byte> memory) =>
        MemoryMarshal.TryGetMemoryManager<byte, NativeMemoryManager>(memory, out NativeMemoryManager? buffer)
            ? buffer
            : throw new ArgumentException("This memory is not part of a buffer.", nameof(memory));

    public void Dispose()
    {
        _isDisposed = true;
        DisposeFree();
    }

    private void DisposeFree()
    {
        while (_free.TryPop(out NativeMemoryManager? buffer))
        {
            ((IDisposable)buffer).Dispose();
        }
    }
}
