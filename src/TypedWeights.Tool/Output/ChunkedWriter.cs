using System.Text;

namespace TypedWeights.Tool.Output;

/// <summary>Text that goes to standard output in large pieces, as every piece is a call of the system there. Disposing writes the last one.</summary>
internal sealed class ChunkedWriter(TextWriter writer) : TextWriter(writer.FormatProvider)
{
    private readonly char[] _chunk = new char[1 << 14];
    private int _length;

    public override Encoding Encoding => writer.Encoding;

    public override void Write(char value)
    {
        if (_length == _chunk.Length)
        {
            Flush();
        }

        _chunk[_length++] = value;
    }

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(ReadOnlySpan<char> buffer)
    {
        while (!buffer.IsEmpty)
        {
            if (_length == _chunk.Length)
            {
                Flush();
            }

            int fits = Math.Min(buffer.Length, _chunk.Length - _length);
            buffer[..fits].CopyTo(_chunk.AsSpan(_length));
            _length += fits;
            buffer = buffer[fits..];
        }
    }

    // Half of a surrogate pair waits for the other half: by itself it would become a replacement character.
    public override void Flush()
    {
        int whole = _length > 1 && char.IsHighSurrogate(_chunk[_length - 1]) ? _length - 1 : _length;
        writer.Write(_chunk.AsSpan(0, whole));
        _chunk.AsSpan(whole, _length - whole).CopyTo(_chunk);
        _length -= whole;
    }

    protected override void Dispose(bool disposing)
    {
        Flush();
        base.Dispose(disposing);
    }
}
