using System.Buffers;
using System.Globalization;
using TypedWeights.Format;
using TypedWeights.Memory;

namespace TypedWeights.Sources;

/// <summary>
/// A file that is read once and in order, because its server ignores ranges or its stream cannot seek. Bytes between two ranges are read and
/// dropped. When reading fails, <see cref="ReopenAsync"/> starts again, and everything before the missing byte is dropped.
/// </summary>
/// <param name="body">The file from its start; disposed with this.</param>
/// <param name="length">The length of the file.</param>
/// <param name="firstBytes">The bytes of the body that have been read.</param>
internal abstract class SequentialSource(ForwardBody body, long length, ReadOnlyMemory<byte> firstBytes) : IWeightSource
{
    private const int SkipSize = 128 << 10;

    // The longest file other than a safetensors file is an index.
    private const int IndexLimit = ShardIndex.LengthLimit;

    private ForwardBody? _body = body;
    private int _readers;

    public abstract string Display { get; }

    public abstract string? Validator { get; }

    public abstract string? Version { get; }

    public long Length => length;

    /// <summary>Whether the file is longer than the bytes that were read when it was opened.</summary>
    public bool IsSequential => length > firstBytes.Length;

    /// <summary>Sends no request: the first read skips to the range, and reports that bytes arrive.</summary>
    public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        cancellationToken.ThrowIfCancellationRequested();
        if (offset + length <= firstBytes.Length)
        {
            return ValueTask.FromResult<IRangeReader>(new MemoryReader(firstBytes.Slice((int)offset, (int)length)));
        }

        return Interlocked.Exchange(ref _readers, 1) == 0
            ? ValueTask.FromResult<IRangeReader>(new Reader(this, offset))
            : throw new InvalidOperationException($"{Display} can only be read in order: dispose the first reader before you open another.");
    }

    public ValueTask DisposeAsync() => CloseAsync();

    /// <summary>Starts again at the first byte of the file.</summary>
    protected abstract ValueTask<ForwardBody> ReopenAsync(CancellationToken cancellationToken);

    /// <summary>Finds the length of a file from its header. A file other than a safetensors file is read to its end.</summary>
    /// <param name="body">The body; it is given the length.</param>
    /// <param name="start">What has been read: <see cref="FileSniffer.Wanted"/> bytes, or all of a shorter file.</param>
    /// <param name="mayBeIndex">Whether the file may be an index. If not, only its first bytes are read, from which errors name its kind.</param>
    /// <param name="display">The file as it may be shown.</param>
    /// <param name="cancellationToken">Ends the reads.</param>
    /// <returns>The length of the file, and what has been read of it.</returns>
    /// <exception cref="WeightSourceException">It is neither a safetensors file nor short enough for an index.</exception>
    /// <exception cref="MemoryLimitException">It needs more memory than the limit of the load, or the container, leaves.</exception>
    protected static async ValueTask<(long Length, ReadOnlyMemory<byte> Start)> FindLengthAsync(
        ForwardBody body, ReadOnlyMemory<byte> start, bool mayBeIndex, string display, CancellationToken cancellationToken)
    {
        bool isHeader = HeaderPrefix.Check(start.Span[..Math.Min(start.Length, HeaderPrefix.Size)], long.MaxValue, out int headerLength) is null;
        int wanted = isHeader ? HeaderPrefix.Size + headerLength : mayBeIndex ? IndexLimit + 1 : start.Length;
        var read = new ArrayBufferWriter<byte>();
        read.Write(start.Span);
        while (read.WrittenCount < wanted)
        {
            // The buffer grows with the bytes that arrive, because the length of a header is only a claim.
            if (read.FreeCapacity == 0)
            {
                ThrowIfTooLarge(display, isHeader ? headerLength : null, read.WrittenCount);
            }

            Memory<byte> memory = read.GetMemory(1);
            int count = await body.ReadAsync(memory[..Math.Min(memory.Length, wanted - read.WrittenCount)], cancellationToken)
                .ConfigureAwait(false);
            if (count == 0)
            {
                return (read.WrittenCount, read.WrittenMemory);
            }

            read.Advance(count);
        }

        if (!isHeader && mayBeIndex)
        {
            throw new WeightSourceException(
                display,
                "the server ignores range requests and does not state the length of the file (Content-Length), and it is neither a safetensors file "
                    + $"nor within {IndexLimit.ToString("N0", CultureInfo.InvariantCulture)} bytes; "
                    + "fetch it with another program, such as curl, and load it from disk.");
        }

        if (!isHeader || HeaderReader.FileLength(read.WrittenSpan[HeaderPrefix.Size..wanted], cancellationToken) is not { } length)
        {
            // The reader of the header reports what is wrong with it.
            return (wanted, read.WrittenMemory[..wanted]);
        }

        await body.ExpectAsync(length, cancellationToken).ConfigureAwait(false);
        return (length, read.WrittenMemory);
    }

    // Before the buffer grows. The code that opens the file can compare its length with a limit only afterwards.
    private static void ThrowIfTooLarge(string display, int? headerLength, int readSoFar)
    {
        var budget = new HeaderBudget(MemoryBound.OfLoad);
        if (headerLength is { } length)
        {
            budget.Take(display, length);
        }
        else
        {
            budget.Take(
                display,
                HeaderBudget.MemoryOfText(readSoFar),
                string.Create(CultureInfo.InvariantCulture, $"the content after its first {readSoFar:N0} bytes"));
        }
    }

    private async ValueTask<int> ReadAsync(
        long position, Memory<byte> destination, Action<int> arrived, CancellationToken cancellationToken)
    {
        if (position < firstBytes.Length)
        {
            int count = (int)Math.Min(firstBytes.Length - position, destination.Length);
            firstBytes.Span.Slice((int)position, count).CopyTo(destination.Span);
            return count;
        }

        try
        {
            if (_body is null || _body.Received > position)
            {
                await CloseAsync().ConfigureAwait(false);
                _body = await ReopenAsync(cancellationToken).ConfigureAwait(false);
                arrived(0);
            }

            if (_body.Received < position)
            {
                await SkipAsync(_body, position, arrived, cancellationToken).ConfigureAwait(false);
            }

            return await _body.ReadAsync(destination, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await CloseAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async ValueTask SkipAsync(ForwardBody body, long position, Action<int> arrived, CancellationToken cancellationToken)
    {
        byte[] dropped = ArrayPool<byte>.Shared.Rent(SkipSize);
        try
        {
            while (body.Received < position)
            {
                int count = (int)Math.Min(dropped.Length, position - body.Received);
                await body.ReadAsync(dropped.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                arrived(0);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(dropped);
        }
    }

    private ValueTask CloseAsync() => Interlocked.Exchange(ref _body, null)?.DisposeAsync() ?? ValueTask.CompletedTask;

    private sealed class Reader(SequentialSource source, long position) : IRangeReader
    {
        private bool _isDisposed;

        public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            int read = await source.ReadAsync(position, destination, static _ => { }, cancellationToken).ConfigureAwait(false);
            position += read;
            return read;
        }

        public async ValueTask FillAsync(Memory<byte> destination, Action<int> arrived, CancellationToken cancellationToken)
        {
            while (destination.Length > 0)
            {
                int read = await source.ReadAsync(position, destination, arrived, cancellationToken).ConfigureAwait(false);
                position += read;
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
    }
}
