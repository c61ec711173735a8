using TypedWeights.Errors;

namespace TypedWeights.Saving;

/// <summary>What one tensor's bytes are written to: passes them on and counts them.</summary>
internal sealed class EntryStream(Stream file, SafeTensorsEntry entry, CancellationToken ending) : Stream
{
    private long _written;
    private bool _closed;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => !_closed;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public void ThrowUnlessComplete()
    {
        if (_written != entry.ByteLength)
        {
            throw Wrong(_written, "were written");
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ending.ThrowIfCancellationRequested();
        Count(buffer.Length);
        file.Write(buffer);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ending.ThrowIfCancellationRequested();
        Count(buffer.Length);
        await file.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
        // The file is flushed once, at its end.
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // The file is not this stream's to close; only what was handed out ends here.
    protected override void Dispose(bool disposing)
    {
        _closed = true;
        base.Dispose(disposing);
    }

    private void Count(int length)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (length > entry.ByteLength - _written)
        {
            throw Wrong(_written + length, "or more were written");
        }

        _written += length;
    }

    private WeightsException Wrong(long given, string howMany) => new(
        $"The tensor {Printable.Name(entry.Name)} is {entry.Describe()}, {entry.ByteLength} bytes, but "
        + $"{given} {howMany}. Nothing was saved.");
}
