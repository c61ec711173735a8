using System.Collections.Concurrent;
using TypedWeights.Errors;
using TypedWeights.Interop.Cuda;
using TypedWeights.Interop.Cuda.Handles;

namespace TypedWeights.Devices.Cuda.Copying;

/// <summary>
/// A load's copies to one device: a stream of its own, and a thread that waits for the copies one after the other, in the order in which
/// they end. Whatever blocks in the driver blocks that thread and none of the pool.
/// </summary>
internal sealed class CopyStream : IAsyncDisposable
{
    private readonly CudaContext _context;
    private readonly Func<int, string> _nameOf;
    private readonly Action<Func<Exception>> _onFailure;
    private readonly CudaStream _stream;
    private readonly BlockingCollection<PendingCopy> _pending = [];
    private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Guards the order of copies, marks and the queue, and the spare marks.
    private readonly Lock _lock = new();
    private readonly Stack<CudaEvent> _marks = [];
    private volatile Func<Exception>? _failure;
    private volatile bool _isDraining;
    private bool _hasUnmarked;

    private CopyStream(CudaContext context, Func<int, string> nameOf, Action<Func<Exception>> onFailure)
    {
        _context = context;
        _nameOf = nameOf;
        _onFailure = onFailure;
        _stream = new CudaStream(context);
        new Thread(Wait) { IsBackground = true, Name = $"TypedWeights: copies to {context.Title}" }.Start();
    }

    /// <summary>Opens one.</summary>
    /// <param name="context">The device's.</param>
    /// <param name="nameOf">Names a tensor of the plan, for messages.</param>
    /// <param name="onFailure">Is told of the first failure, so that nobody waits for buffers that will not come back.</param>
    public static CopyStream Open(CudaContext context, Func<int, string> nameOf, Action<Func<Exception>> onFailure) =>
        new(context, nameOf, onFailure);

    /// <summary>
    /// Lets all copies wait for what libtorch has put into its own stream until now: memory that its allocator has just given out may be
    /// read there still.
    /// </summary>
    public void WaitForTorch()
    {
        using var mark = new CudaEvent(_context);
        mark.RecordOnDefaultStream();
        _stream.WaitFor(mark);
    }

    /// <summary>Puts copies out of a buffer into the stream.</summary>
    /// <param name="host">The buffer.</param>
    /// <param name="parts">What goes where.</param>
    /// <param name="onCopied">Is called once, on whatever thread, when the buffer is no longer read. Not called where this throws.</param>
    /// <exception cref="WeightsException">This copy, or an earlier one of the load, failed.</exception>
    public void Copy(nint host, IReadOnlyList<CopyPart> parts, Action onCopied)
    {
        int tensor = parts[0].Tensor;
        lock (_lock)
        {
            ThrowIfFailed();
            CudaEvent? mark = null;
            try
            {
                mark = _marks.TryPop(out CudaEvent? spare) ? spare : new CudaEvent(_context);
                _hasUnmarked = true;
                foreach (CopyPart part in parts)
                {
                    tensor = part.Tensor;
                    _stream.Copy(part.Device, host + part.Offset, part.Length);
                }

                _stream.Record(mark);
                _hasUnmarked = false;
                _pending.Add(new PendingCopy(mark, parts[0].Tensor, onCopied, null));
            }
            catch (CudaException e)
            {
                if (mark is not null)
                {
                    _marks.Push(mark);
                }

                throw Fail(tensor, e)();
            }
        }
    }

    /// <summary>Returns when every copy so far is done.</summary>
    /// <exception cref="WeightsException">One of them failed.</exception>
    public Task FlushAsync(CancellationToken cancellationToken)
    {
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            _pending.Add(new PendingCopy(null, -1, static () => { }, flushed), CancellationToken.None);
        }

        return flushed.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Waits until nothing is copied any more, and ends the stream. For once, when nobody calls anything else.</summary>
    /// <returns>False where the driver would not even say that: the memory of both sides must not be used again.</returns>
    public async ValueTask<bool> DrainAsync()
    {
        _isDraining = true;
        _pending.CompleteAdding();
        return await _ended.Task.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync() => await DrainAsync().ConfigureAwait(false);

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
        {
            throw failure();
        }
    }

    // The first failure is the load's.
    private Func<Exception> Fail(int tensor, CudaException e)
    {
        Func<Exception> failure = () => new WeightsException($"Copying {Printable.Name(_nameOf(tensor))} to {_context.Title} failed: {e.Message}", e);
        if (Interlocked.CompareExchange(ref _failure, failure, null) is { } first)
        {
            return first;
        }

        _onFailure(failure);
        return failure;
    }

    private void Wait()
    {
        var left = new List<PendingCopy>();
        foreach (PendingCopy copy in _pending.GetConsumingEnumerable())
        {
            if (copy.Mark is null)
            {
                copy.End(_failure);
            }
            else if (_isDraining || _failure is not null || !TryWaitFor(copy))
            {
                left.Add(copy);
            }
        }

        bool isDrained = (left.Count == 0 && !_hasUnmarked) || TrySynchronize();
        foreach (PendingCopy copy in left)
        {
            if (isDrained)
            {
                copy.OnCopied();
            }

            copy.Mark!.Dispose();
        }

        while (_marks.TryPop(out CudaEvent? mark))
        {
            mark.Dispose();
        }

        _stream.Dispose();
        _pending.Dispose();
        _ended.SetResult(isDrained);
    }

    private bool TryWaitFor(PendingCopy copy)
    {
        try
        {
            copy.Mark!.Synchronize();
        }
        catch (CudaException e)
        {
            Fail(copy.Tensor, e);
            return false;
        }

        lock (_lock)
        {
            _marks.Push(copy.Mark);
        }

        copy.OnCopied();
        return true;
    }

    // Twice, since the first call may be answered with the error of a copy. Where the context is lost, nothing runs in it any more.
    private bool TrySynchronize()
    {
        for (int attempt = 0; attempt < 2; attempt++)
        {
            try
            {
                _stream.Synchronize();
                return true;
            }
            catch (CudaException e) when (e.IsSticky)
            {
                return true;
            }
            catch (CudaException)
            {
                // Once more.
            }
        }

        return false;
    }
}
