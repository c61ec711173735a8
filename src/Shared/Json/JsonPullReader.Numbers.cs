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
        JsonPullReader usual = this;
        if (usual.TryPassNumber(out ulong read))
        {
            _position = usual._position;
            _atStart = false;
            return read;
        }

        ReadOnlySpan<byte> token = ReadNumber("a whole number");
        ulong value = 0;
        foreach (byte digit in token)
        {
            if (!IsDigit(digit))
            {
                throw new JsonReadException(start, $"expected a whole number from 0 to 2^64-1, found {Shown(token)}");
            }

            uint next = (uint)(digit - '0');
            if (value > (ulong.MaxValue - next) / 10)
            {
                throw new JsonReadException(start, $"{Shown(token)} is beyond 2^64-1");
            }

            value = (value * 10) + next;
        }

        return value;
    }

    /// <summary>Reads any JSON number as it is written.</summary>
    public string ReadNumberText() => Utf8Text.Decode(ReadNumber("a number"));

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

    private static bool IsDigit(byte value) => value is >= (byte)'0' and <= (byte)'9';

    // A number may have a million digits.
    private static string Shown(ReadOnlySpan<byte> token) => Printable.Line(Utf8Text.Decode(token), longest: 60);
}
