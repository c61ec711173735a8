using System.Runtime.CompilerServices;
using TypedWeights.Sources;

namespace TypedWeights.Transfer.Retry;

/// <summary>A range that goes on, after a failure, at the byte where it stopped.</summary>
internal sealed class ResumingReader : IRangeReader
{
    // With a limit on the rate: how much comes at one go before the next wait.
    private const int PacedRead = 64 << 10;

    private readonly ResilientSource _source;
    private readonly TransferContext _context;
    private StallGuard? _guard;
    private readonly Action<int> _onArrived;
    private readonly bool _isInMemory;
    private readonly long _end;
    private long _position;
    private IRangeReader? _inner;
    private Memory<byte> _left;
    private bool _hasFailed;
    private bool _hasAsked;
    private Action<int>? _arrived;

    public ResumingReader(ResilientSource source, TransferContext context, long offset, long length, bool isInMemory)
    {
        _source = source;
        _context = context;
        _position = offset;
        _end = offset + length;
        _isInMemory = isInMemory;
        _guard = context.Guards.Rent(context.Patience);
        _onArrived = OnArrived;
    }

    public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        await FillAsync(destination, static _ => { }, cancellationToken).ConfigureAwait(false);
        return destination.Length;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask FillAsync(Memory<byte> destination, Action<int> arrived, CancellationToken cancellationToken)
    {
        _arrived = arrived;
        while (destination.Length > 0)
        {
            int next = _context.Pacer is null ? destination.Length : Math.Min(destination.Length, PacedRead);
            _left = destination[..next];
            await _source.Retry.RunAsync(
                static (reader, token) => reader.AttemptAsync(token), this, static reader => reader._position, cancellationToken)
                .ConfigureAwait(false);
            destination = destination[next..];
            if (_context.Pacer is { } pacer)
            {
                await pacer.PaceAsync(next, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        if (_guard is { } guard)
        {
            _guard = null;
            _context.Guards.Return(guard);
            if (_hasAsked)
            {
                _context.Turns.Pass();
            }
        }
    }

    // One attempt at what is still missing. When it fails, the answer it was reading is closed.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> AttemptAsync(CancellationToken cancellationToken)
    {
        StallGuard guard = _guard!;
        bool asks = _inner is null && IsRequest();
        if (asks && !_hasAsked)
        {
            await _context.Turns.EnterAsync(cancellationToken).ConfigureAwait(false);
            _hasAsked = true;
        }

        // A file that is read in order would be asked for from its start.
        CancellationToken token = guard.Begin(mayBeEarly: !_source.IsSequential, cancellationToken);
        try
        {
            if (_inner is null)
            {
                if (asks)
                {
                    _context.CountRequest();
                }

                _inner = await _source.Inner.OpenRangeAsync(_position, _end - _position, token).ConfigureAwait(false);
                guard.Answered();
            }

            await _inner.FillAsync(_left, _onArrived, token).ConfigureAwait(false);
            guard.End(cancellationToken);
            return true;
        }
        catch (Exception e)
        {
            bool isUnserved = _inner is null;
            _hasFailed = true;
            guard.End(cancellationToken);
            await CloseAsync().ConfigureAwait(false);
            if (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                throw ResilientSource.Ended(_source.Display, guard, isUnserved, e);
            }

            throw;
        }
    }

    // A file that is read in order has one answer for all its ranges.
    private bool IsRequest() => !_isInMemory && (!_source.IsSequential || _hasFailed);

    private void OnArrived(int bytes)
    {
        _guard!.Arrived();
        _position += bytes;
        _left = _left[bytes..];
        _context.CountBytes(bytes);
        _arrived!(bytes);
        _guard.Wait();
    }

    private async ValueTask CloseAsync()
    {
        if (_inner is { } inner)
        {
            _inner = null;
            await inner.DisposeAsync().ConfigureAwait(false);
        }
    }
}
