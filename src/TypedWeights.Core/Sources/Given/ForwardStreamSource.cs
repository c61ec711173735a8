using TypedWeights.Format;
using TypedWeights.Memory;

namespace TypedWeights.Sources.Given;

/// <summary>
/// A file that a stream without seeking holds from here to its end: read once, in order. The header, which is read when the file is opened,
/// says how long the file is.
/// </summary>
internal sealed class ForwardStreamSource : IWeightSource
{
    private const int SkipSize = 128 << 10;

    private readonly Stream _stream;
    private readonly ReadOnlyMemory<byte> _start;
    private long _position;

    private ForwardStreamSource(Stream stream, ReadOnlyMemory<byte> start, long length)
    {
        _stream = stream;
        _start = start;
        _position = start.Length;
        Length = length;
    }

    public string Display => StreamReading.Name;

    public long Length { get; }

    public string? Validator => null;

    /// <summary>Whether there is more than what was read at the opening.</summary>
    public bool IsSequential => Length > _start.Length;

    /// <summary>Reads the header, or as much of the stream as tells what it is instead.</summary>
    /// <exception cref="WeightSourceException">The stream failed.</exception>
    /// <exception cref="MemoryLimitException">The header takes more memory than the load's limit, or the container, leaves.</exception>
    public static async ValueTask<IWeightSource> OpenAsync(Stream stream, CancellationToken cancellationToken)
    {
        byte[] prefix = new byte[HeaderPrefix.Size];
        int count = await StreamReading.FillAsync(stream, prefix, cancellationToken).ConfigureAwait(false);
        bool isHeader = HeaderPrefix.Check(prefix.AsSpan(0, count), long.MaxValue, out int headerLength) is null;
        if (isHeader)
        {
            new HeaderBudget(MemoryBound.OfLoad).Take(StreamReading.Name, headerLength);
        }

        ReadOnlyMemory<byte> start = await ReadOnAsync(
            stream, prefix.AsMemory(0, count), isHeader ? HeaderPrefix.Size + headerLength : FileSniffer.Wanted, cancellationToken)
            .ConfigureAwait(false);

        // Where there is no whole header, what was read is enough for whoever reads the header next to say what is wrong.
        long? length = isHeader && start.Length == HeaderPrefix.Size + headerLength
            ? HeaderReader.FileLength(start.Span[HeaderPrefix.Size..], cancellationToken)
            : null;
        var source = new ForwardStreamSource(stream, start, length ?? start.Length);
        if (length == start.Length)
        {
            await source.ThrowUnlessEndedAsync(cancellationToken).ConfigureAwait(false);
        }

        return source;
    }

    public ValueTask<IRangeReader> OpenRangeAsync(long offset, long length, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult<IRangeReader>(offset + length <= _start.Length
            ? new MemoryReader(_start.Slice((int)offset, (int)length))
            : new Reader(this, offset));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // The buffer grows with what has come: a header's length is a claim.
    private static async ValueTask<ReadOnlyMemory<byte>> ReadOnAsync(
        Stream stream, ReadOnlyMemory<byte> read, int wanted, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[Math.Min(wanted, SkipSize)];
        read.CopyTo(bytes);
        int count = read.Length;
        while (count < wanted)
        {
            if (count == bytes.Length)
            {
                Array.Resize(ref bytes, (int)Math.Min(wanted, 2L * bytes.Length));
            }

            int next = await StreamReading.FillAsync(stream, bytes.AsMemory(count), cancellationToken).ConfigureAwait(false);
            count += next;
            if (next == 0)
            {
                break;
            }
        }

        return bytes.AsMemory(0, count);
    }

    private async ValueTask SkipToAsync(long position, CancellationToken cancellationToken)
    {
        byte[] dropped = _position < position ? new byte[(int)Math.Min(SkipSize, position - _position)] : [];
        while (_position < position)
        {
            int count = (int)Math.Min(dropped.Length, position - _position);
            await ReadAsync(dropped.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        int read = await StreamReading.ReadSomeAsync(_stream, destination, cancellationToken).ConfigureAwait(false);
        if (read == 0)
        {
            throw StreamReading.Ended(_position, Length);
        }

        _position += read;
        if (_position == Length)
        {
            await ThrowUnlessEndedAsync(cancellationToken).ConfigureAwait(false);
        }

        return read;
    }

    private async ValueTask ThrowUnlessEndedAsync(CancellationToken cancellationToken)
    {
        if (await StreamReading.ReadSomeAsync(_stream, new byte[1], cancellationToken).ConfigureAwait(false) > 0)
        {
            throw new WeightSourceException(
                Display,
                $"the tensors end at byte {Length}, but the stream goes on, which the format does not allow; "
                    + "give a stream that ends with the file.");
        }
    }

    private sealed class Reader(ForwardStreamSource source, long position) : IRangeReader
    {
        public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
        {
            await source.SkipToAsync(position, cancellationToken).ConfigureAwait(false);
            int read = await source.ReadAsync(destination, cancellationToken).ConfigureAwait(false);
            position += read;
            return read;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
