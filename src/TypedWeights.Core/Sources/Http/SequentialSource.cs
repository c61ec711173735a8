using System.Buffers;
using TypedWeights.Format;

namespace TypedWeights.Sources.Http;

/// <summary>
/// A file on a server that ignores ranges: read once, in order, from the answer that opened it. What lies between two ranges is read and
/// dropped. Where the answer breaks off, the file is asked for again and read up to where it broke, if it is surely the same.
/// </summary>
internal sealed class SequentialSource : IWeightSource, IRequestedSource
{
    private const int SkipSize = 128 << 10;

    private readonly HttpTarget _target;
    private readonly HttpIdentity _identity;
    private readonly ReadOnlyMemory<byte> _firstBytes;
    private HttpBody? _body;
    private int _readers;

    private SequentialSource(HttpTarget target, HttpIdentity identity, HttpBody body, long length, ReadOnlyMemory<byte> firstBytes)
    {
        _target = target;
        _identity = identity;
        _body = body;
        _firstBytes = firstBytes;
        Length = length;
    }

    public string Display => _target.Display;

    public HttpRequestMessage? Asked => _target.Asked;

    public long Length { get; }

    public string? Validator => _identity.Validator;

    public string? Version => _identity.Version;

    /// <summary>Whether there is more than what came with the opening.</summary>
    public bool IsSequential => Length > _firstBytes.Length;

    /// <summary>Opens a file whose server answered 200 to a range.</summary>
    /// <param name="target">Where it is.</param>
    /// <param name="identity">Is given its length and validator.</param>
    /// <param name="answer">The answer; disposed with the source, or here on failure.</param>
    /// <param name="firstBytes">How many bytes are kept for later, at least.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">It is a page or a pointer and not a file, or there is no telling how long it is.</exception>
    public static async ValueTask<IWeightSource> OpenAsync(
        HttpTarget target, HttpIdentity identity, HttpResponseMessage answer, int firstBytes, CancellationToken cancellationToken)
    {
        HttpBody? body = null;
        try
        {
            ResponseCheck.ThrowIfCompressed(answer, target.Display);
            ResponseCheck.ThrowIfPage(answer, target.Display);
            long? announced = ResponseCheck.LengthOf(answer, target.Display);
            body = new HttpBody(answer, announced, target.Display);
            byte[] bytes = new byte[(int)Math.Min(Math.Max(firstBytes, FileSniffer.Wanted), announced ?? long.MaxValue)];
            int count = await body.FillAsync(bytes, cancellationToken).ConfigureAwait(false);
            ResponseCheck.ThrowIfPage(bytes.AsSpan(0, count), target.Display);
            (long length, ReadOnlyMemory<byte> start) = announced is { } known
                ? (known, bytes)
                : await UnannouncedLength.FindAsync(body, bytes.AsMemory(0, count), target.Display, cancellationToken).ConfigureAwait(false);
            identity.Check(answer, length);
            return new SequentialSource(target, identity, body, length, start);
        }
        catch
        {
            if (body is not null)
            {
                await body.DisposeAsync().ConfigureAwait(false);
            }

            answer.Dispose();
            throw;
        }
    }

    /// <summary>Asks for nothing yet: the way to the range is read by its first read, which tells that bytes come.</summary>
    public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        if (offset + length <= _firstBytes.Length)
        {
            return ValueTask.FromResult<IRangeReader>(new MemoryReader(_firstBytes.Slice((int)offset, (int)length)));
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (Interlocked.Exchange(ref _readers, 1) != 0)
        {
            throw new InvalidOperationException($"{Display} can only be read in order: dispose the reader before, then open the next.");
        }

        return ValueTask.FromResult<IRangeReader>(new Reader(this, offset));
    }

    public ValueTask DisposeAsync() => DropAsync();

    private async ValueTask AdvanceAsync(long position, Action<int> arrived, CancellationToken cancellationToken)
    {
        if (_body is null || _body.Received > position)
        {
            await DropAsync().ConfigureAwait(false);
            _body = await ReopenAsync(cancellationToken).ConfigureAwait(false);
            arrived(0);
        }

        byte[] dropped = ArrayPool<byte>.Shared.Rent(SkipSize);
        try
        {
            while (_body!.Received < position)
            {
                int count = (int)Math.Min(dropped.Length, position - _body.Received);
                await ReadAsync(dropped.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                arrived(0);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(dropped);
        }
    }

    private async ValueTask<HttpBody> ReopenAsync(CancellationToken cancellationToken)
    {
        if (_identity.Validator is null)
        {
            throw new WeightSourceException(
                Display,
                "reading broke off, and the server neither answers range requests nor gives an ETag or Last-Modified, so that what it "
                    + "would send now may be another file; try again, or fetch it with another program, such as curl.");
        }

        HttpResponseMessage answer =
            await _target.SendAsync(new RangeRequest(Range: null, _identity.StrongTag, Version: _identity.Version), cancellationToken)
                .ConfigureAwait(false);
        try
        {
            ResponseCheck.ThrowUnlessWhole(answer, _target.IsElsewhere(answer), Display);
            _identity.Check(answer, ResponseCheck.LengthOf(answer, Display));
            return new HttpBody(answer, Length, Display);
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }

    private async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        // Whoever read on after a failure would hear of it here; the next range begins anew.
        HttpBody body = _body ?? throw new WeightSourceException(Display, "the connection broke before.") { IsTransient = true };
        try
        {
            return await body.ReadAsync(destination, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await DropAsync().ConfigureAwait(false);
            throw;
        }
    }

    private ValueTask DropAsync()
    {
        HttpBody? body = _body;
        _body = null;
        return body?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    /// <summary>Reads on from a position, the kept first bytes before the answer's own.</summary>
    private sealed class Reader(SequentialSource source, long position) : IRangeReader
    {
        private bool _hasAdvanced;
        private bool _isDisposed;

        public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            await AdvanceAsync(static _ => { }, cancellationToken).ConfigureAwait(false);
            return await ReadOnAsync(destination, cancellationToken).ConfigureAwait(false);
        }

        public async ValueTask FillAsync(Memory<byte> destination, Action<int> arrived, CancellationToken cancellationToken)
        {
            await AdvanceAsync(arrived, cancellationToken).ConfigureAwait(false);
            while (destination.Length > 0)
            {
                int read = await ReadOnAsync(destination, cancellationToken).ConfigureAwait(false);
                arrived(read);
                destination = destination[read..];
            }
        }

        public ValueTask DisposeAsync()
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                Volatile.Write(ref source._readers, 0);
            }

            return ValueTask.CompletedTask;
        }

        // Once: whoever reads on after a failure hears of it.
        private ValueTask AdvanceAsync(Action<int> arrived, CancellationToken cancellationToken)
        {
            if (_hasAdvanced)
            {
                return ValueTask.CompletedTask;
            }

            _hasAdvanced = true;
            return source.AdvanceAsync(Math.Max(position, source._firstBytes.Length), arrived, cancellationToken);
        }

        private ValueTask<int> ReadOnAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            long kept = source._firstBytes.Length - position;
            if (kept <= 0)
            {
                return source.ReadAsync(destination, cancellationToken);
            }

            int count = (int)Math.Min(kept, destination.Length);
            source._firstBytes.Span.Slice((int)position, count).CopyTo(destination.Span);
            position += count;
            return ValueTask.FromResult(count);
        }
    }
}
