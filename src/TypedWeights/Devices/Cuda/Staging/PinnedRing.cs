using System.Globalization;
using TypedWeights.Interop.Cuda;
using TypedWeights.Interop.Cuda.Handles;
using TypedWeights.Transfer.Planning;

namespace TypedWeights.Devices.Cuda.Staging;

/// <summary>
/// The page-locked buffers that all loads of a loader share. Nobody holds one while waiting for another, and a load's first buffer is
/// only ever waited for behind buffers that are being filled or copied, so that no two loads wait for each other.
/// </summary>
internal sealed class PinnedRing(StagingLimits limits) : IDisposable
{
    // A ring of fewer is no ring: one is copied, one is filled, and two readers more keep the source busy.
    private const int Least = 4;

    private readonly Lock _growing = new();
    private readonly Lock _lock = new();
    private readonly Stack<RingBuffer> _free = [];
    private readonly LinkedList<RingWaiter> _waiters = [];
    private int _count;
    private bool _isDisposed;

    /// <summary>The bytes of each buffer.</summary>
    public int BufferSize => limits.BufferSize;

    /// <summary>The memory that a load will make it take.</summary>
    public long RoomFor(TransferPlan plan) => limits.RoomFor(plan);

    /// <summary>How many buffers there are now.</summary>
    public int Count => _count;

    /// <summary>Makes sure that there are the buffers that a load can use; fewer where the system will not lock as much memory.</summary>
    /// <param name="context">Allocates them; they serve all devices.</param>
    /// <param name="plan">What the load will read.</param>
    /// <exception cref="WeightsException">There is not even memory for the fewest.</exception>
    public void Grow(CudaContext context, TransferPlan plan)
    {
        int wanted = limits.BuffersFor(plan);
        lock (_growing)
        {
            while (_count < wanted && TryAdd(context, enough: _count >= Math.Min(wanted, Least)))
            {
                // One by one: each that can be had is one more.
            }
        }
    }

    /// <summary>Lets a load take part.</summary>
    public RingShare Open() => new(this);

    public ValueTask<RingBuffer> TakeAsync(RingShare share, CancellationToken cancellationToken)
    {
        LinkedListNode<RingWaiter> waiter;
        lock (_lock)
        {
            DisposedLoader.ThrowIf(_isDisposed);
            share.ThrowIfFailed();
            if (_count == 0)
            {
                throw Lost();
            }

            if (MayTake(share))
            {
                return ValueTask.FromResult(Hand(share));
            }

            waiter = _waiters.AddLast(new RingWaiter(share));
        }

        return new ValueTask<RingBuffer>(WaitAsync(waiter, cancellationToken));
    }

    /// <summary>Takes a buffer back that nobody reads or writes any more.</summary>
    public void GiveBack(RingShare share, RingBuffer buffer)
    {
        lock (_lock)
        {
            share.Held.Remove(buffer);
            if (_isDisposed)
            {
                buffer.Free();
                return;
            }

            _free.Push(buffer);
            Serve();
        }
    }

    /// <summary>Ends the waits of a load: the device failed it, and no buffer of its will come back by itself.</summary>
    public void Fail(RingShare share, Func<Exception> failure)
    {
        lock (_lock)
        {
            share.Failure ??= failure;
            RemoveWaiters(waiter => waiter.Share == share, failure);
            Serve();
        }
    }

    /// <summary>Gives up buffers that a copy may still be reading and nobody can tell: they are never used again, nor freed.</summary>
    public void Abandon(RingShare share)
    {
        lock (_lock)
        {
            _count -= share.Held.Count;
            share.Held.Clear();
            if (_count == 0)
            {
                // Nothing is left that could come back to those who wait.
                RemoveWaiters(static _ => true, Lost);
            }
        }
    }

    /// <summary>Frees the buffers; those that are out follow when they come back.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            RemoveWaiters(static _ => true, DisposedLoader.Error);
            while (_free.TryPop(out RingBuffer? buffer))
            {
                buffer.Free();
            }
        }
    }

    private bool TryAdd(CudaContext context, bool enough)
    {
        try
        {
            var buffer = new RingBuffer(new PinnedMemory(context, limits.BufferSize), limits.BufferSize);
            lock (_lock)
            {
                if (_isDisposed)
                {
                    buffer.Free();
                    throw DisposedLoader.Error();
                }

                _count++;
                _free.Push(buffer);
                Serve();
            }

            return true;
        }
        catch (CudaException e) when (!e.IsSticky && enough)
        {
            // It goes with what there is.
            return false;
        }
        catch (CudaException e) when (!e.IsSticky)
        {
            throw new WeightsException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The system locks no {Least * (long)limits.BufferSize:N0} bytes of memory for copies to {context.Title}: {e.Message} ")
                    + "Free host memory, raise the limit of locked memory (ulimit -l), or lower TransferOptions.StagingSize.",
                e);
        }
    }

    private async Task<RingBuffer> WaitAsync(LinkedListNode<RingWaiter> waiter, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration _ = cancellationToken.UnsafeRegister(
            (_, token) =>
            {
                lock (_lock)
                {
                    // Served already: the buffer is the caller's, who gives it back with the rest.
                    if (waiter.List is not null)
                    {
                        _waiters.Remove(waiter);
                        waiter.Value.TrySetCanceled(token);
                    }
                }
            },
            null);
        return await waiter.Value.Task.ConfigureAwait(false);
    }

    // The oldest first. Whoever may not take one yet is passed over: his own buffers come back to him.
    private void Serve()
    {
        for (LinkedListNode<RingWaiter>? waiter = _waiters.First; waiter is not null && _free.Count > 0;)
        {
            LinkedListNode<RingWaiter>? next = waiter.Next;
            if (MayTake(waiter.Value.Share))
            {
                _waiters.Remove(waiter);
                waiter.Value.TrySetResult(Hand(waiter.Value.Share));
            }

            waiter = next;
        }
    }

    // Three times what it leaves to others, and no more: a load whose server hangs does not keep the others waiting.
    private bool MayTake(RingShare share) => share.Held.Count == 0 ? _free.Count > 0 : share.Held.Count < 3 * _free.Count;

    private static WeightsException Lost() => new(
        "The page-locked buffers are lost: the driver does not say whether the copies of a load that failed have ended. Load again.");

    private RingBuffer Hand(RingShare share)
    {
        RingBuffer buffer = _free.Pop();
        share.Held.Add(buffer);
        return buffer;
    }

    private void RemoveWaiters(Func<RingWaiter, bool> which, Func<Exception> failure)
    {
        for (LinkedListNode<RingWaiter>? waiter = _waiters.First; waiter is not null;)
        {
            LinkedListNode<RingWaiter>? next = waiter.Next;
            if (which(waiter.Value))
            {
                _waiters.Remove(waiter);
                waiter.Value.TrySetException(failure());
            }

            waiter = next;
        }
    }
}
