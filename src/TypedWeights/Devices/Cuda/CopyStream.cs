using System.Collections.Concurrent;
using TypedWeights.Errors;
using TypedWeights.Interop.Cuda;
using TypedWeights.Memory;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Cuda;

/// <summary>Where a tensor is on a device.</summary>
/// <param name="Address">Its first byte.</param>
/// <param name="Block">The same number for tensors in one allocation, at least 0.</param>
internal readonly record struct DevicePlace(nint Address, int Block);

/// <summary>
/// Copies the bytes of a load to one device: from buffers of the ring, through a stream that only this load uses. A dedicated thread waits
/// for the copies one after the other, in the order in which they end, so that the driver does not block a thread of the pool.
/// </summary>
internal sealed class CopyStream
{
    // The legacy default stream, the only one that libtorch uses under TorchSharp.
    private const nint DefaultStream = 0;

    private readonly PinnedRing _ring;
    private readonly CudaContext _context;
    private readonly TransferPlan _plan;
    private readonly Func<int, DevicePlace> _placeOf;
    private readonly CudaHandle _stream;
    private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly BlockingCollection<PendingCopy> _pending = [];
    private readonly ConcurrentStack<CudaHandle> _spareMarks = new();

    // Buffers that are being filled or copied.
    private readonly ConcurrentDictionary<NativeMemoryManager, bool> _held = new();

    // The queue has the order of the copies in the stream.
    private readonly Lock _lock = new();

    // For each tensor its position in the order in which the tensors are read.
    private readonly int[] _positions;
    private volatile WeightsException? _failure;

    /// <param name="ring">The loader's.</param>
    /// <param name="context">The device.</param>
    /// <param name="plan">What will be read.</param>
    /// <param name="placeOf">Where each tensor of the plan is on the device.</param>
    public CopyStream(PinnedRing ring, CudaContext context, TransferPlan plan, Func<int, DevicePlace> placeOf)
    {
        (_ring, _context, _plan, _placeOf) = (ring, context, plan, placeOf);
        _positions = new int[plan.Tensors.Count];
        for (int i = 0; i < plan.ReadInFileOrder.Count; i++)
        {
            _positions[plan.ReadInFileOrder[i]] = i;
        }

        ring.Grow(context, plan);
        _stream = CudaHandle.Stream(context);
        new Thread(Wait) { IsBackground = true, Name = $"TypedWeights: copies to {context.Title}" }.Start();
    }

    /// <summary>
    /// Makes all copies wait for the work that libtorch has put into its own stream until now: it may still read memory that its allocator has
    /// reused.
    /// </summary>
    public void WaitForTorch()
    {
        using var mark = CudaHandle.Event(_context);
        _context.Run(driver =>
        {
            driver.RecordEvent(mark.Value, DefaultStream);
            driver.WaitEvent(_stream.Value, mark.Value);
        });
    }

    /// <summary>Takes a buffer for the bytes of a segment.</summary>
    public async ValueTask<Memory<byte>> AcquireAsync(TransferSegment segment, CancellationToken cancellationToken)
    {
        ThrowIfFailed();
        NativeMemoryManager buffer = await _ring.TakeAsync(cancellationToken).ConfigureAwait(false);
        _held[buffer] = true;
        return buffer.Memory[..checked((int)segment.Length)];
    }

    /// <summary>Puts the copies of a filled buffer into the stream; the buffer returns to the ring when they are done.</summary>
    /// <exception cref="WeightsException">This copy, or an earlier one of the load, failed.</exception>
    public void Commit(TransferSegment segment, Memory<byte> memory)
    {
        NativeMemoryManager buffer = BufferPool.BufferOf(memory);
        List<CopyPart> parts = PartsOf(segment);
        int tensor = parts[0].Tensor;
        lock (_lock)
        {
            ThrowIfFailed();
            CudaHandle? mark = null;
            try
            {
                mark = _spareMarks.TryPop(out CudaHandle? spare) ? spare : CudaHandle.Event(_context);
                _context.Run(driver =>
                {
                    foreach (CopyPart part in parts)
                    {
                        tensor = part.Tensor;
                        driver.CopyToDevice(part.Device, buffer.Address + part.Offset, part.Length, _stream.Value);
                    }

                    driver.RecordEvent(mark.Value, _stream.Value);
                });
                _pending.Add(new PendingCopy(buffer, parts[0].Tensor, mark, null));
            }
            catch (CudaException e)
            {
                // Some of the copies may be in the stream, with no event behind them.
                WeightsException failure = Fail(tensor, e);
                mark?.Dispose();
                _pending.Add(new PendingCopy(buffer, tensor, null, null));
                throw failure;
            }
        }
    }

    /// <summary>Returns when every copy so far is done.</summary>
    /// <exception cref="WeightsException">One of them failed.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending.Add(new PendingCopy(null, -1, null, flushed), CancellationToken.None);
        await flushed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        ThrowIfFailed();
    }

    /// <summary>Waits until nothing is copied any more, and returns the buffers. Called once, when no other call is running.</summary>
    /// <returns>False if the driver does not confirm it; then the memory of the device must not be used again.</returns>
    public async ValueTask<bool> EndAsync()
    {
        _pending.CompleteAdding();
        bool isDrained = await _ended.Task.ConfigureAwait(false);
        foreach (NativeMemoryManager buffer in _held.Keys)
        {
            Return(buffer);
        }

        return isDrained;
    }

    private void Return(NativeMemoryManager buffer)
    {
        _held.TryRemove(buffer, out _);
        _ring.Return(buffer);
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
        {
            throw new WeightsException(failure.Message, failure.InnerException);
        }
    }

    // The load fails with its first failure.
    private WeightsException Fail(int tensor, CudaException e)
    {
        string name = Printable.Name(_plan.Tensors[tensor].Info.Name);
        var failure = new WeightsException($"Copying {name} to {_context.Title} failed: {e.Message}", e);
        return Interlocked.CompareExchange(ref _failure, failure, null) ?? failure;
    }

    // Every buffer returns to the ring, also after a failure: otherwise a reader would wait for one for ever.
    private void Wait()
    {
        bool isDrained = true;
        foreach (PendingCopy copy in _pending.GetConsumingEnumerable())
        {
            if (copy.Buffer is null)
            {
                copy.Flushed!.SetResult();
                continue;
            }

            if (!TryWaitFor(copy))
            {
                isDrained = TrySynchronize();
            }

            Return(copy.Buffer);
        }

        isDrained = isDrained || TrySynchronize();
        while (_spareMarks.TryPop(out CudaHandle? mark))
        {
            mark.Dispose();
        }

        _stream.Dispose();
        _pending.Dispose();
        _ended.SetResult(isDrained);
    }

    private bool TryWaitFor(PendingCopy copy)
    {
        if (copy.Mark is null)
        {
            return false;
        }

        try
        {
            _context.Run(driver => driver.SynchronizeEvent(copy.Mark.Value));
            return true;
        }
        catch (CudaException e)
        {
            Fail(copy.Tensor, e);
            return false;
        }
        finally
        {
            _spareMarks.Push(copy.Mark);
        }
    }

    // Twice, since the first call may report the error of a copy. Where the context is lost, nothing runs in it any more.
    private bool TrySynchronize()
    {
        for (int attempt = 0; attempt < 2; attempt++)
        {
            try
            {
                _context.Run(driver => driver.SynchronizeStream(_stream.Value));
                return true;
            }
            catch (CudaException e) when (e.IsSticky)
            {
                return true;
            }
            catch (CudaException)
            {
                // The second attempt decides.
            }
        }

        return false;
    }

    // A segment consists of a tensor from an offset on, and the tensors that are read after it. Neighbours on the device are one copy, within
    // an allocation: the driver does not copy across the border of two allocations, even if they are neighbours.
    private List<CopyPart> PartsOf(TransferSegment segment)
    {
        var parts = new List<CopyPart>();
        int position = _positions[segment.Tensor];
        long offset = segment.Offset;
        int block = -1;
        for (long done = 0; done < segment.Length; position++)
        {
            int tensor = _plan.ReadInFileOrder[position];
            long length = Math.Min(_plan.Tensors[tensor].Info.ByteLength - offset, segment.Length - done);
            DevicePlace at = _placeOf(tensor);
            nint device = at.Address + (nint)offset;
            if (at.Block == block && parts[^1] is var last && last.Device + last.Length == device)
            {
                parts[^1] = last with { Length = last.Length + (int)length };
            }
            else
            {
                parts.Add(new CopyPart(device, (int)done, (int)length, tensor));
            }

            block = at.Block;
            offset = 0;
            done += length;
        }

        return parts;
    }

    // Bytes of a buffer that go to one address of the device, and the tensor that the first of them belongs to.
    private readonly record struct CopyPart(nint Device, int Offset, int Length, int Tensor);

    // Copies out of a buffer, and the event behind them, if it was recorded; or, without a buffer, a position in the queue that is waited for.
    private sealed record PendingCopy(NativeMemoryManager? Buffer, int Tensor, CudaHandle? Mark, TaskCompletionSource? Flushed);
}
