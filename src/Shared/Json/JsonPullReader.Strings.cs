using System.Buffers.Text;
using System.Text;

namespace TypedWeights.Json;

/// <content>Strings and their escapes.</content>
internal ref partial struct JsonPullReader
{
    public string ReadString(string expected = "a string")
    {
        ReadOnlySpan<byte> written = ReadWritten(expected, isWanted: true, out string? unescaped);
        return unescaped ?? Utf8Text.Decode(written);
    }

    /// <summary>Reads a string as UTF-8 without its escapes, for a string that is only compared: it takes no memory unless it has escapes.</summary>
    public ReadOnlySpan<byte> ReadUtf8String(string expected = "a string")
    {
        ReadOnlySpan<byte> written = ReadWritten(expected, isWanted: true, out string? unescaped);
        return unescaped is null ? written : Encoding.UTF8.GetBytes(unescaped);
    }

    private void SkipString(string expected) => _ = ReadWritten(expected, isWanted: false, out _);

    // Returns what is between the quotation marks, and the text without escapes if it is wanted and has escapes.
    private ReadOnlySpan<byte> ReadWritten(string expected, bool isWanted, out string? unescaped)
    {
        if (Peek() != (byte)'"')
        {
            throw Unexpected(expected);
        }

        StringBuilder? text = null;
        int start = _position + 1, plain = start;
        for (int at = start; at < _text.Length; at++)
        {
            switch (_text[at])
            {
                case (byte)'"':
                    unescaped = text?.Append(Utf8Text.Decode(_text.Slice(plain, at - plain))).ToString();
                    _position = at + 1;
                    return _text.Slice(start, at - start);
                case (byte)'\\':
                    text = isWanted ? (text ?? new StringBuilder()).Append(Utf8Text.Decode(_text.Slice(plain, at - plain))) : null;
                    int code = ReadEscape(ref at);
                    _ = code <= char.MaxValue ? text?.Append((char)code) : text?.Append(char.ConvertFromUtf32(code));
                    plain = at + 1;
                    break;
                case < 0x20:
                    throw new JsonReadException(at, "a control character inside a string");
            }
        }

        throw new JsonReadException(_position, "a string without its closing quotation mark");
    }

    // Moves from the backslash to the last byte of the escape and returns its character.
    private readonly int ReadEscape(ref int at)
    {
        int start = at++;
        byte escape = at < _text.Length ? _text[at] : (byte)0;
        switch (escape)
        {
            case (byte)'"' or (byte)'\\' or (byte)'/':
                return escape;
            case (byte)'b':
                return '\b';
            case (byte)'f':
                return '\f';
            case (byte)'n':
                return '\n';
            case (byte)'r':
                return '\r';
            case (byte)'t':
                return '\t';
            case (byte)'u':
                break;
            default:
                throw new JsonReadException(start, "an escape that JSON does not allow");
        }

        char first = ReadHexUnit(ref at, start);
        if (!char.IsSurrogate(first))
        {
            return first;
        }

        if (char.IsHighSurrogate(first) && _text.Slice(at + 1).StartsWith("\\u"u8))
        {
            at += 2;
            char second = ReadHexUnit(ref at, start);
            if (char.IsLowSurrogate(second))
            {
                return char.ConvertToUtf32(first, second);
            }
        }

        throw new JsonReadException(start, "half of a surrogate pair");
    }

    // Moves from the 'u' to the last of the four digits.
    private readonly char ReadHexUnit(ref int at, int escape)
    {
        const int Digits = 4;
        if (_text.Length - at <= Digits
            || !Utf8Parser.TryParse(_text.Slice(at + 1, Digits), out ushort unit, out int length, 'x')
            || length != Digits)
        {
            throw new JsonReadException(escape, "a \\u escape without four hexadecimal digits");
        }

        at += Digits;
        return (char)unit;
    }
}
