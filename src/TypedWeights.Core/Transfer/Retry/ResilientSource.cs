using System.Runtime.CompilerServices;
using TypedWeights.Sources;

namespace TypedWeights.Transfer.Retry;

/// <summary>A file across a network whose ranges survive broken connections, busy servers and stalls.</summary>
/// <param name="inner">The file; disposed with this one.</param>
/// <param name="context">The context of the load.</param>
/// <param name="firstBytes">How many bytes arrived with the opening response: reading them sends no request.</param>
internal sealed class ResilientSource(IWeightSource inner, TransferContext context, int firstBytes) : IWeightSource, IRequestedSource
{
    public string Display => inner.Display;

    public long Length => inner.Length;

    public string? Validator => inner.Validator;

    public string? Version => inner.Version;

    public bool IsSequential => inner.IsSequential;

    public HttpRequestMessage? LastRequest => (inner as IRequestedSource)?.LastRequest;

    /// <summary>Sends no request: the first read does.</summary>
    public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult<IRangeReader>(new Reader(inner, context, offset, length, isInMemory: offset + length <= firstBytes));
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    /// <summary>Reads a range. After a failure it continues at the first missing byte.</summary>
    private sealed class Reader : IRangeReader
    {
        // With a rate limit: how many bytes are read before the next wait.
        private const int PacedRead = 64 << 10;

        private readonly IWeightSource _source;
        private readonly TransferContext _context;
        private readonly StallGuard _guard;
        private readonly bool _isInMemory;
        private readonly long _end;

        // Created once for a range, and not for each of its segments.
        private readonly Action<int> _onArrived;
        private readonly Func<CancellationToken, ValueTask<bool>> _attempt;
        private readonly Func<CancellationToken, ValueTask<bool>> _continue;
        private readonly Func<long> _reached;
        private long _position;
        private IRangeReader? _inner;
        private Memory<byte> _left;
        private Action<int>? _arrived;
        private bool _hasFailed;
        private bool _hasEntered;
        private bool _isDisposed;

        public Reader(IWeightSource source, TransferContext context, long offset, long length, bool isInMemory)
        {
            _source = source;
            _context = context;
            _position = offset;
            _end = offset + length;
            _isInMemory = isInMemory;
            _guard = context.Patience.Rent();
            (_onArrived, _attempt, _continue, _reached) = (OnArrived, AttemptAsync, ContinueAsync, () => _position);
        }

        // A file that is read in order has one response for all its ranges.
        private bool NeedsRequest => _inner is null && !_isInMemory && (!_source.IsSequential || _hasFailed);

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
                await RetryPolicy.RunAsync(_context, _attempt, _reached, cancellationToken).ConfigureAwait(false);
                destination = destination[next..];
                if (_context.Pacer is { } pacer)
                {
                    await pacer.PaceAsync(next, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            await CloseAsync().ConfigureAwait(false);
            _context.Patience.Return(_guard);
            if (_hasEntered)
            {
                _context.Turns.Pass();
            }
        }

        // One attempt at the missing bytes. When it fails, its response is closed.
        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<bool> AttemptAsync(CancellationToken cancellationToken)
        {
            if (NeedsRequest && !_hasEntered)
            {
                await _context.Turns.EnterAsync(cancellationToken).ConfigureAwait(false);
                _hasEntered = true;
            }

            try
            {
                // A retry of a file that is read in order would start at its first byte.
                return await _guard.RunAsync(_continue, mayBeEarly: !_source.IsSequential, _source.Display, cancellationToken)
                    .ConfigureAwait(false);
            }
            catch
            {
                _hasFailed = true;
                await CloseAsync().ConfigureAwait(false);
                throw;
            }
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<bool> ContinueAsync(CancellationToken cancellationToken)
        {
            if (_inner is null)
            {
                if (NeedsRequest)
                {
                    _context.CountRequest();
                }

                _inner = await _source.OpenRangeAsync(_position, _end - _position, cancellationToken).ConfigureAwait(false);
                _guard.Responded();
            }

            await _inner.FillAsync(_left, _onArrived, cancellationToken).ConfigureAwait(false);
            return true;
        }

        private void OnArrived(int bytes)
        {
            _guard.Arrived();
            _position += bytes;
            _left = _left[bytes..];
            _context.CountBytes(bytes);
            _arrived!(bytes);
            _guard.Wait();
        }

        private async ValueTask CloseAsync()
        {
            _guard.IsServed = false;
            if (_inner is { } inner)
            {
                _inner = null;
                await inner.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}
