using System.Globalization;

namespace TypedWeights.Json;

/// <summary>
/// A strict RFC 8259 reader from which the caller pulls one token after another: no comments, no trailing commas, no byte order mark, no lone
/// surrogates, no number beyond a double, at most <see cref="MaxDepth"/> open levels. It refuses what serde_json refuses, so that a header gets
/// the verdict of the reference. The generator, which cannot carry a JSON library, uses it too.
/// </summary>
/// <remarks>
/// The text must be valid UTF-8 (see <see cref="Utf8Text"/>). Objects and arrays are read with
/// <c>BeginObject(); while (NextProperty(out name)) { one value }</c> and <c>BeginArray(); while (NextElement()) { one value }</c>;
/// <see cref="ObjectMembers"/> reads an object whose members are known.
/// </remarks>
internal ref partial struct JsonPullReader
{
    /// <summary>The most levels that may be open at once; the limit of serde_json.</summary>
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
            // Headers are written without white space.
            if (_position < _text.Length && _text[_position] <= (byte)' ')
            {
                SkipWhiteSpace();
            }

            return _position;
        }
    }

    /// <summary>The first byte of the next token; 0 at the end of the text.</summary>
    public byte Peek() => Position < _text.Length ? _text[_position] : (byte)0;

    /// <summary>Counts the members of the next object without moving: a table of that size takes half the memory of one that grows.</summary>
    public readonly int CountMembers()
    {
        JsonPullReader ahead = this;
        int count = 0;
        for (ahead.BeginObject(); ahead.NextField(out _); count++)
        {
            ahead.Skip();
        }

        return count;
    }

    public void BeginObject() => Begin((byte)'{', "an object");

    public void BeginArray() => Begin((byte)'[', "an array");

    /// <summary>Moves to the next member; its value must then be read or skipped.</summary>
    /// <returns>False when the object has ended.</returns>
    public bool NextProperty(out string name)
    {
        bool isThere = NextItem((byte)'}', "object");
        name = isThere ? ReadString(MemberName) : "";
        return isThere && ReadColon();
    }

    /// <summary>Moves to the next member and returns its name as UTF-8, for a name that is only compared.</summary>
    /// <returns>False when the object has ended.</returns>
    public bool NextField(out ReadOnlySpan<byte> name)
    {
        bool isThere = NextItem((byte)'}', "object");
        name = isThere ? ReadUtf8String(MemberName) : default;
        return isThere && ReadColon();
    }

    /// <summary>Moves to the next element; it must then be read or skipped.</summary>
    /// <returns>False when the array has ended.</returns>
    public bool NextElement() => NextItem((byte)']', "array");

    /// <summary>Reads <c>null</c> if the next value is null.</summary>
    public bool TryReadNull()
    {
        bool isNull = Peek() == (byte)'n';
        if (isNull)
        {
            ReadLiteral("null"u8);
        }

        return isNull;
    }

    /// <summary>Reads past one value of any kind, with every check of a value that is read.</summary>
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
            case (byte)'t':
                ReadLiteral("true"u8);
                break;
            case (byte)'f':
                ReadLiteral("false"u8);
                break;
            default:
                _ = ReadNumber("a value");
                break;
        }
    }

    /// <summary>Checks that only white space follows the document.</summary>
    public void End()
    {
        if (Position < _text.Length)
        {
            throw Unexpected("the end of the JSON text");
        }
    }

    public JsonReadException Unexpected(string expected) => new(Position, $"expected {expected}, found {Describe()}");

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
        bool isFirst = _atStart;
        _atStart = false;
        if (Peek() == close)
        {
            _depth--;
            _position++;
            return false;
        }

        if (isFirst)
        {
            return true;
        }

        if (Peek() != (byte)',')
        {
            throw Unexpected($"',' or the end of the {container}");
        }

        _position++;
        return Peek() != close ? true : throw new JsonReadException(_position, $"a comma before the end of the {container}");
    }

    private bool ReadColon()
    {
        if (Peek() != (byte)':')
        {
            throw Unexpected("':' after the member name");
        }

        _position++;
        return true;
    }

    private void ReadLiteral(ReadOnlySpan<byte> literal)
    {
        if (!_text.Slice(_position).StartsWith(literal))
        {
            throw new JsonReadException(_position, $"expected {Utf8Text.Decode(literal)}");
        }

        _position += literal.Length;
    }

    private void SkipWhiteSpace()
    {
        while (_position < _text.Length && _text[_position] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
        {
            _position++;
        }
    }
}
