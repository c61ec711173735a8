namespace TypedWeights.Tests.Loading.Given;

/// <summary>A stream that cannot seek and gives a few bytes at a time, as one from a network does.</summary>
internal sealed class ForwardStream(byte[] bytes, int most = 1000) : Stream
{
    private int _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>How many bytes were read.</summary>
    public int BytesRead => _position;

    /// <summary>Is called before each read with the number of bytes that have been read.</summary>
    public Action<int>? Reading { get; init; }

    public override int Read(byte[] buffer, int offset, int count)
    {
        Reading?.Invoke(_position);
        int read = Math.Min(Math.Min(count, most), bytes.Length - _position);
        bytes.AsSpan(_position, read).CopyTo(buffer.AsSpan(offset));
        _position += read;
        return read;
    }

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
