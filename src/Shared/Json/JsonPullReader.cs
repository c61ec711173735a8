using System.Globalization;
using System.Text;

namespace TypedWeights.Json;

/// <summary>
/// A strict RFC 8259 reader that is asked for what comes next: no comments, no trailing commas, no byte order mark, no lone surrogates,
/// no number beyond a double, at most <see cref="MaxDepth"/> open levels. What serde_json refuses, this refuses, so that headers get
/// the reference's verdicts here and in the generator, which carries no JSON library.
/// </summary>
/// <remarks>
/// The text must be valid UTF-8 (see <see cref="Utf8Text"/>). Objects and arrays are read with
/// <c>BeginObject(); while (NextProperty(out name)) { one value }</c> and <c>BeginArray(); while (NextElement()) { one value }</c>.
/// </remarks>
internal ref struct JsonPullReader
{
    /// <summary>The most levels that may be open at once; serde_json's limit.</summary>
    public const int MaxDepth = 127;

    private readonly ReadOnlySpan<byte> _text;
    private int _position;
    private int _depth;

    // Whether the innermost container has had no item yet. One flag serves all levels: once an inner container has closed, the outer
    // one has had an item.
    private bool _atStart;

    public JsonPullReader(ReadOnlySpan<byte> text)
    {
        _text = text;
        _position = 0;
        _depth = 0;
        _atStart = true;
    }

    /// <summary>Where the next token starts, in bytes; white space has been passed.</summary>
    public int Position
    {
        get
        {
            SkipWhiteSpace();
            return _position;
        }
    }

    /// <summary>The first byte of the next token; 0 at the end of the text.</summary>
    public byte Peek()
    {
        SkipWhiteSpace();
        return _position < _text.Length ? _text[_position] : (byte)0;
    }

    public void BeginObject() => Begin((byte)'{', "an object");

    public void BeginArray() => Begin((byte)'[', "an array");

    /// <summary>Moves to the next member; its value must then be read or skipped.</summary>
    /// <returns>False when the object has ended.</returns>
    public bool NextProperty(out string name)
    {
        if (!NextItem((byte)'}', "object"))
        {
            name = "";
            return false;
        }

        name = ReadString("a member name in double quotes");
        if (Peek() != (byte)':')
        {
            throw Unexpected("':' after the member name");
        }

        _position++;
        return true;
    }

    /// <summary>Moves to the next element; it must then be read or skipped.</summary>
    /// <returns>False when the array has ended.</returns>
    public bool NextElement() => NextItem((byte)']', "array");

    public string ReadString(string expected = "a string")
    {
        if (Peek() != (byte)'"')
        {
            throw Unexpected(expected);
        }

        int start = ++_position;
        int run = _text.Slice(start).IndexOfAny((byte)'"', (byte)'\\');
        if (run >= 0 && _text[start + run] == (byte)'"')
        {
            ReadOnlySpan<byte> plain = _text.Slice(start, run);
            RefuseControlCharacters(plain, start);
            _position = start + run + 1;
            _atStart = false;
            return Utf8Text.Decode(plain);
        }

        return ReadEscapedString();
    }

    /// <summary>Reads a whole number from 0 to 2^64-1 in plain decimal: no sign, no fraction, no exponent, no leading zero.</summary>
    public ulong ReadUInt64()
    {
        int start = Position;
        ReadOnlySpan<byte> token = ReadNumber("a whole number");
        ulong value = 0;
        foreach (byte digit in token)
        {
            if (!IsDigit(digit))
            {
                throw new JsonReadException(start, $"expected a whole number from 0 to 2^64-1, found {Utf8Text.Decode(token)}");
            }

            uint next = (uint)(digit - '0');
            if (value > (ulong.MaxValue - next) / 10)
            {
                throw new JsonReadException(start, $"{Utf8Text.Decode(token)} is beyond 2^64-1");
            }

            value = (value * 10) + next;
        }

        return value;
    }

    /// <summary>Reads any JSON number as it is written.</summary>
    public string ReadNumberText() => Utf8Text.Decode(ReadNumber("a number"));

    /// <summary>Reads <c>null</c> if that is what comes next.</summary>
    public bool TryReadNull()
    {
        if (Peek() != (byte)'n')
        {
            return false;
        }

        ReadLiteral("null"u8);
        return true;
    }

    public bool ReadBoolean()
    {
        if (Peek() == (byte)'t')
        {
            ReadLiteral("true"u8);
            return true;
        }

        if (Peek() == (byte)'f')
        {
            ReadLiteral("false"u8);
            return false;
        }

        throw Unexpected("true or false");
    }

    /// <summary>Reads past one value of any kind, checking it as strictly as one that is wanted.</summary>
    public void Skip()
    {
        switch (Peek())
        {
            case (byte)'{':
                BeginObject();
                while (NextProperty(out _))
                {
                    Skip();
                }

                break;
            case (byte)'[':
                BeginArray();
                while (NextElement())
                {
                    Skip();
                }

                break;
            case (byte)'"':
                _ = ReadString();
                break;
            case (byte)'n':
                ReadLiteral("null"u8);
                break;
            case (byte)'t' or (byte)'f':
                _ = ReadBoolean();
                break;
            default:
                _ = ReadNumber("a value");
                break;
        }
    }

    /// <summary>Checks that nothing but white space follows the document.</summary>
    public void End()
    {
        if (Position < _text.Length)
        {
            throw Unexpected("the end of the JSON text");
        }
    }

    public JsonReadException Unexpected(string expected)
    {
        SkipWhiteSpace();
        return new JsonReadException(_position, $"expected {expected}, found {Describe()}");
    }

    private readonly string Describe()
    {
        if (_position >= _text.Length)
        {
            return "the end of the text";
        }

        byte found = _text[_position];
        return found switch
        {
            (byte)'{' => "an object",
            (byte)'[' => "an array",
            (byte)'"' => "a string",
            (byte)'n' => "null",
            (byte)'t' or (byte)'f' => "a boolean",
            (byte)'-' or (>= (byte)'0' and <= (byte)'9') => "a number",
            0xEF when _text.Slice(_position).StartsWith(Utf8Text.ByteOrderMark) => "a UTF-8 byte order mark",
            > 0x20 and < 0x7F => $"'{(char)found}'",
            _ => $"the byte 0x{found.ToString("X2", CultureInfo.InvariantCulture)}",
        };
    }

    private void Begin(byte bracket, string expected)
    {
        if (Peek() != bracket)
        {
            throw Unexpected(expected);
        }

        if (_depth == MaxDepth)
        {
            throw new JsonReadException(_position, $"more than {MaxDepth} levels of nesting");
        }

        _depth++;
        _position++;
        _atStart = true;
    }

    private bool NextItem(byte close, string container)
    {
        byte next = Peek();
        if (next == close)
        {
            _depth--;
            _position++;
            _atStart = false;
            return false;
        }

        if (_atStart)
        {
            _atStart = false;
            return true;
        }

        if (next != (byte)',')
        {
            throw Unexpected($"',' or the end of the {container}");
        }

        _position++;
        if (Peek() == close)
        {
            throw new JsonReadException(_position, $"a comma before the end of the {container}");
        }

        return true;
    }

    private ReadOnlySpan<byte> ReadNumber(string expected)
    {
        int start = Position;
        int at = start;
        if (at < _text.Length && _text[at] == (byte)'-')
        {
            at++;
        }

        int digits = Digits(at);
        if (digits == 0)
        {
            throw Unexpected(expected);
        }

        if (digits > 1 && _text[at] == (byte)'0')
        {
            throw new JsonReadException(start, "a number with a leading zero");
        }

        at += digits;
        bool plain = true;
        if (at < _text.Length && _text[at] == (byte)'.')
        {
            plain = false;
            at = AfterDigits(at + 1, start);
        }

        if (at < _text.Length && (_text[at] | 0x20) == 'e')
        {
            plain = false;
            at++;
            at = AfterDigits(at < _text.Length && _text[at] is (byte)'+' or (byte)'-' ? at + 1 : at, start);
        }

        ReadOnlySpan<byte> token = _text.Slice(start, at - start);

        // A double holds every number of up to 308 digits.
        if ((!plain || token.Length > 308)
            && (!double.TryParse(Utf8Text.Decode(token), NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                || double.IsInfinity(value)))
        {
            throw new JsonReadException(start, "a number beyond the range of a double");
        }

        _position = at;
        _atStart = false;
        return token;
    }

    private readonly int AfterDigits(int at, int start)
    {
        int digits = Digits(at);
        return digits > 0 ? at + digits : throw new JsonReadException(start, "a number that breaks off");
    }

    private readonly int Digits(int at)
    {
        int end = at;
        while (end < _text.Length && IsDigit(_text[end]))
        {
            end++;
        }

        return end - at;
    }

    private void ReadLiteral(ReadOnlySpan<byte> literal)
    {
        if (!_text.Slice(_position).StartsWith(literal))
        {
            throw new JsonReadException(_position, $"expected {Utf8Text.Decode(literal)}");
        }

        _position += literal.Length;
        _atStart = false;
    }

    // Cold: names with escapes are rare. The position stands on the first byte after the opening quote.
    private string ReadEscapedString()
    {
        int open = _position - 1;
        var text = new StringBuilder();
        while (true)
        {
            int run = _text.Slice(_position).IndexOfAny((byte)'"', (byte)'\\');
            if (run < 0)
            {
                throw new JsonReadException(open, "a string that is never closed");
            }

            ReadOnlySpan<byte> plain = _text.Slice(_position, run);
            RefuseControlCharacters(plain, _position);
            text.Append(Utf8Text.Decode(plain));
            _position += run + 1;
            if (_text[_position - 1] == (byte)'"')
            {
                _atStart = false;
                return text.ToString();
            }

            text.Append(ReadEscape());
        }
    }

    private string ReadEscape()
    {
        int at = _position - 1;
        byte escape = _position < _text.Length ? _text[_position++] : (byte)0;
        switch (escape)
        {
            case (byte)'"' or (byte)'\\' or (byte)'/':
                return ((char)escape).ToString();
            case (byte)'b':
                return "\b";
            case (byte)'f':
                return "\f";
            case (byte)'n':
                return "\n";
            case (byte)'r':
                return "\r";
            case (byte)'t':
                return "\t";
            case (byte)'u':
                break;
            default:
                throw new JsonReadException(at, "an escape that JSON does not have");
        }

        char first = ReadHexUnit(at);
        if (!char.IsSurrogate(first))
        {
            return first.ToString();
        }

        if (char.IsHighSurrogate(first) && _text.Slice(_position).StartsWith("\\u"u8))
        {
            _position += 2;
            char second = ReadHexUnit(at);
            if (char.IsLowSurrogate(second))
            {
                return new string([first, second]);
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
        for (int i = 0; i < plain.Length; i++)
        {
            if (plain[i] < 0x20)
            {
                throw new JsonReadException(start + i, "a control character inside a string");
            }
        }
    }

    private void SkipWhiteSpace()
    {
        while (_position < _text.Length && _text[_position] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
        {
            _position++;
        }
    }

    private static bool IsDigit(byte value) => value is >= (byte)'0' and <= (byte)'9';
}
