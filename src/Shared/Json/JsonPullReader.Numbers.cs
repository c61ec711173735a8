using System.Buffers.Text;
using System.Globalization;
using TypedWeights.Errors;

namespace TypedWeights.Json;

/// <content>Numbers.</content>
internal ref partial struct JsonPullReader
{
    /// <summary>Reads a whole number from 0 to 2^64-1 in plain decimal: no sign, no fraction, no exponent, no leading zero.</summary>
    public ulong ReadUInt64()
    {
        int start = Position;
        ReadOnlySpan<byte> token = ReadNumber("a whole number");
        if (Utf8Parser.TryParse(token, out ulong value, out int length) && length == token.Length)
        {
            return value;
        }

        // A number may have a million digits.
        string found = Printable.Line(Utf8Text.Decode(token), longest: 60);
        throw new JsonReadException(start, $"expected a whole number from 0 to 2^64-1, found {found}");
    }

    /// <summary>Reads an array of whole numbers.</summary>
    public ulong[] ReadUInt64Array()
    {
        BeginArray();

        // A hostile header can hold an array of fifty million numbers, and a list that grows would take three times their memory. No number has
        // a comma in it.
        int commas = 0;
        for (int at = _position; at < _text.Length && _text[at] != (byte)']'; at++)
        {
            commas += _text[at] == (byte)',' ? 1 : 0;
        }

        ulong[] numbers = Peek() == (byte)']' ? [] : new ulong[commas + 1];
        for (int i = 0; NextElement(); i++)
        {
            numbers[i] = ReadUInt64();
        }

        return numbers;
    }

    /// <summary>Reads any JSON number as it is written.</summary>
    public string ReadNumberText() => Utf8Text.Decode(ReadNumber("a number"));

    private ReadOnlySpan<byte> ReadNumber(string expected)
    {
        int start = Position;
        bool isNegative = Peek() == (byte)'-';
        int at = AfterDigits(isNegative ? start + 1 : start, out int digits);
        if (digits == 0)
        {
            throw Unexpected(expected);
        }

        if (digits > 1 && _text[at - digits] == (byte)'0')
        {
            throw new JsonReadException(start, "a number with a leading zero");
        }

        bool isPlain = true;
        if (at < _text.Length && _text[at] == (byte)'.')
        {
            isPlain = false;
            at = AfterDigits(at + 1, out digits);
        }

        if (digits > 0 && at < _text.Length && (_text[at] | 0x20) == 'e')
        {
            isPlain = false;
            at++;
            at = AfterDigits(at < _text.Length && _text[at] is (byte)'+' or (byte)'-' ? at + 1 : at, out digits);
        }

        if (digits == 0)
        {
            throw new JsonReadException(start, "an incomplete number");
        }

        ReadOnlySpan<byte> token = _text.Slice(start, at - start);

        // A double holds every number of up to 308 digits.
        if ((!isPlain || token.Length > 308)
            && (!double.TryParse(Utf8Text.Decode(token), NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                || double.IsInfinity(value)))
        {
            throw new JsonReadException(start, "a number beyond the range of a double");
        }

        _position = at;
        return token;
    }

    private readonly int AfterDigits(int at, out int digits)
    {
        int start = at;
        while (at < _text.Length && _text[at] is >= (byte)'0' and <= (byte)'9')
        {
            at++;
        }

        digits = at - start;
        return at;
    }
}
