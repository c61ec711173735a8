using System.Globalization;

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
internal ref partial struct JsonPullReader
{
    /// <summary>The most levels that may be open at once; serde_json's limit.</summary>
    public const int MaxDepth = 127;

    private const string MemberName = "a member name in double quotes";

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
            _ = Peek();
            return _position;
        }
    }

    /// <summary>How many bytes have not been read yet.</summary>
    public readonly int Remaining => _text.Length - _position;

    /// <summary>
    /// How many members the object has that comes next, where it may be a long one; 0 otherwise. A table that grows is copied into one of twice
    /// its size: what takes a second look at seven million entries, takes half of the memory.
    /// </summary>
    public readonly int CountMembers()
    {
        const int Long = 1 << 20;
        if (Remaining < Long)
        {
            return 0;
        }

        JsonPullReader ahead = this;
        ahead.BeginObject();
        return ahead.CountMembersLeft();
    }

    /// <summary>How many members follow the value that comes next, in the object that it is a value of.</summary>
    public readonly int CountMembersBehind()
    {
        JsonPullReader ahead = this;
        ahead.Skip();
        return ahead.CountMembersLeft();
    }

    private int CountMembersLeft()
    {
        int count = 0;
        while (NextField(out _))
        {
            Skip();
            count++;
        }

        return count;
    }

    /// <summary>The first byte of the next token; 0 at the end of the text.</summary>
    public byte Peek()
    {
        // Headers are written without white space: nothing to skip, mostly.
        int at = _position;
        if ((uint)at < (uint)_text.Length && _text[at] > (byte)' ')
        {
            return _text[at];
        }

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

        name = ReadString(MemberName);
        ReadColon();
        return true;
    }

    /// <summary>The same with the name as UTF-8, for names that are only compared.</summary>
    /// <returns>False when the object has ended.</returns>
    public bool NextField(out ReadOnlySpan<byte> name)
    {
        if (!NextItem((byte)'}', "object"))
        {
            name = default;
            return false;
        }

        name = ReadUtf8String(MemberName);
        ReadColon();
        return true;
    }

    /// <summary>Moves to the next element; it must then be read or skipped.</summary>
    /// <returns>False when the array has ended.</returns>
    public bool NextElement() => NextItem((byte)']', "array");

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
                while (NextItem((byte)'}', "object"))
                {
                    SkipString(MemberName);
                    ReadColon();
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
                SkipString("a string");
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

    private void ReadColon()
    {
        if (Peek() != (byte)':')
        {
            throw Unexpected("':' after the member name");
        }

        _position++;
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

    private void SkipWhiteSpace()
    {
        while (_position < _text.Length && _text[_position] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
        {
            _position++;
        }
    }
}
