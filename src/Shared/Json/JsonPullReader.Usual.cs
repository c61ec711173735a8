using System.Runtime.CompilerServices;

namespace TypedWeights.Json;

/// <content>
/// Text that is read to the byte as usual writers write it, without a look at what else JSON would allow. Where any of these returns
/// false, the caller goes back to a copy of the reader that it kept, and reads in full.
/// </content>
internal ref partial struct JsonPullReader
{
    /// <summary>Passes bytes that must stand here as they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryPass(ReadOnlySpan<byte> expected)
    {
        // What is usual holds whole values: after it, whatever container is open has had an item.
        _atStart = false;
        if (!_text.Slice(_position).StartsWith(expected))
        {
            return false;
        }

        _position += expected.Length;
        return true;
    }

    /// <summary>Passes bytes up to a quotation mark, which is passed too. The caller compares them with names that need no escapes.</summary>
    public bool TryPassToQuote(out ReadOnlySpan<byte> passed)
    {
        ReadOnlySpan<byte> rest = _text.Slice(_position);
        int length = rest.IndexOf((byte)'"');
        passed = length < 0 ? default : rest.Slice(0, length);
        _position += length + 1;
        return length >= 0;
    }

    /// <summary>Passes a whole number of up to 19 digits, with a comma or a bracket behind it, which is not passed.</summary>
    public bool TryPassNumber(out ulong value)
    {
        const int SurelyFits = 19;
        int start = _position;
        int most = Math.Min(_text.Length, start + SurelyFits);
        int at = start;
        value = 0;
        while (at < most && IsDigit(_text[at]))
        {
            value = (value * 10) + (uint)(_text[at] - '0');
            at++;
        }

        _position = at;
        return at > start && (at == start + 1 || _text[start] != (byte)'0') && at < _text.Length && _text[at] is (byte)',' or (byte)']';
    }
}
