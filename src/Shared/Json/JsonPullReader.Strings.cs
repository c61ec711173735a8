using System.Text;

namespace TypedWeights.Json;

/// <content>Strings and their escapes.</content>
internal ref partial struct JsonPullReader
{
    public string ReadString(string expected = "a string") =>
        TryReadPlainString(expected, out ReadOnlySpan<byte> plain) ? Utf8Text.Decode(plain) : ReadEscapedString();

    /// <summary>Reads a string as UTF-8, without its escapes: for one that is only compared, which then costs no memory.</summary>
    public ReadOnlySpan<byte> ReadUtf8String(string expected = "a string") =>
        TryReadPlainString(expected, out ReadOnlySpan<byte> plain) ? plain : Encoding.UTF8.GetBytes(ReadEscapedString());

    /// <summary>Reads past a string, checking it as strictly as one that is wanted: it costs no memory, however long it is.</summary>
    private void SkipString(string expected)
    {
        if (!TryReadPlainString(expected, out _))
        {
            ReadEscaped(text: null);
        }
    }

    // Without escapes, as nearly all are. Otherwise the position is left on the first byte after the opening quote.
    private bool TryReadPlainString(string expected, out ReadOnlySpan<byte> plain)
    {
        if (Peek() != (byte)'"')
        {
            throw Unexpected(expected);
        }

        int start = ++_position;
        int run = _text.Slice(start).IndexOfAny((byte)'"', (byte)'\\');
        if (run < 0 || _text[start + run] != (byte)'"')
        {
            plain = default;
            return false;
        }

        plain = _text.Slice(start, run);
        RefuseControlCharacters(plain, start);
        _position = start + run + 1;
        _atStart = false;
        return true;
    }

    // Cold: names with escapes are rare.
    private string ReadEscapedString()
    {
        var text = new StringBuilder();
        ReadEscaped(text);
        return text.ToString();
    }

    // The position stands on the first byte after the opening quote.
    private void ReadEscaped(StringBuilder? text)
    {
        int open = _position - 1;
        while (true)
        {
            int run = _text.Slice(_position).IndexOfAny((byte)'"', (byte)'\\');
            if (run < 0)
            {
                throw new JsonReadException(open, "a string that is never closed");
            }

            ReadOnlySpan<byte> plain = _text.Slice(_position, run);
            RefuseControlCharacters(plain, _position);
            text?.Append(Utf8Text.Decode(plain));
            _position += run + 1;
            if (_text[_position - 1] == (byte)'"')
            {
                _atStart = false;
                return;
            }

            ReadEscape(text);
        }
    }

    private void ReadEscape(StringBuilder? text)
    {
        int at = _position - 1;
        byte escape = _position < _text.Length ? _text[_position++] : (byte)0;
        char? plain = escape switch
        {
            (byte)'"' or (byte)'\\' or (byte)'/' => (char)escape,
            (byte)'b' => '\b',
            (byte)'f' => '\f',
            (byte)'n' => '\n',
            (byte)'r' => '\r',
            (byte)'t' => '\t',
            (byte)'u' => null,
            _ => throw new JsonReadException(at, "an escape that JSON does not have"),
        };
        if (plain is { } character)
        {
            text?.Append(character);
            return;
        }

        char first = ReadHexUnit(at);
        if (!char.IsSurrogate(first))
        {
            text?.Append(first);
            return;
        }

        if (char.IsHighSurrogate(first) && _text.Slice(_position).StartsWith("\\u"u8))
        {
            _position += 2;
            char second = ReadHexUnit(at);
            if (char.IsLowSurrogate(second))
            {
                text?.Append(first).Append(second);
                return;
            }
        }

        throw new JsonReadException(at, "half of a surrogate pair");
    }

    private char ReadHexUnit(int escape)
    {
        if (_text.Length - _position < 4)
        {
            throw new JsonReadException(escape, "a \\u escape that breaks off");
        }

        int unit = 0;
        foreach (byte digit in _text.Slice(_position, 4))
        {
            int value = digit switch
            {
                >= (byte)'0' and <= (byte)'9' => digit - '0',
                >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
                >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
                _ => throw new JsonReadException(escape, "a \\u escape without four hexadecimal digits"),
            };
            unit = (unit << 4) | value;
        }

        _position += 4;
        return (char)unit;
    }

    private static void RefuseControlCharacters(ReadOnlySpan<byte> plain, int start)
    {
        int at = IndexOfControlCharacter(plain);
        if (at >= 0)
        {
            throw new JsonReadException(start + at, "a control character inside a string");
        }
    }

    private static int IndexOfControlCharacter(ReadOnlySpan<byte> plain)
    {
#if TYPEDWEIGHTS_CORE
        return plain.IndexOfAnyInRange((byte)0, (byte)0x1F);
#else
        for (int i = 0; i < plain.Length; i++)
        {
            if (plain[i] < 0x20)
            {
                return i;
            }
        }

        return -1;
#endif
    }
}
