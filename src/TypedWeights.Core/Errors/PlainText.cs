using System.Globalization;
using System.Text;

namespace TypedWeights.Errors;

/// <summary>
/// The letters and digits of a text in lower case, with the places where they stand: two spellings of one secret (<c>a%2Fb</c>,
/// <c>a&amp;#47;b</c>, <c>a\/b</c>, <c>A/B</c>) have the same.
/// </summary>
internal sealed class PlainText
{
    // An escape may be of an escape: %2525.
    private const int MostEscapes = 3;

    private static readonly string[] Entities = ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&nbsp;"];

    private readonly string _source;
    private readonly List<(int Start, int End)> _places = [];

    public PlainText(string source)
    {
        _source = source;
        (string Text, List<(int Start, int End)> Places) read = (source, [.. Enumerable.Range(0, source.Length).Select(static i => (i, i + 1))]);
        for (int i = 0; i < MostEscapes && read.Text.AsSpan().ContainsAny("%&\\"); i++)
        {
            (string Text, List<(int Start, int End)> Places) next = Unescape(read.Text, read.Places);
            if (next.Text.Length == read.Text.Length)
            {
                break;
            }

            read = next;
        }

        var letters = new StringBuilder(read.Text.Length);
        for (int i = 0; i < read.Text.Length; i++)
        {
            if (char.IsAsciiLetterOrDigit(read.Text[i]))
            {
                letters.Append(char.ToLowerInvariant(read.Text[i]));
                _places.Add(read.Places[i]);
            }
        }

        Text = letters.ToString();
    }

    /// <summary>The letters and digits.</summary>
    public string Text { get; }

    /// <summary>Whether a run of them stands by itself, with neither letter nor digit next to it.</summary>
    public bool IsWord(int index, int length)
    {
        int start = _places[index].Start;
        int end = _places[index + length - 1].End;
        return (start == 0 || !char.IsLetterOrDigit(_source[start - 1])) && (end == _source.Length || !char.IsLetterOrDigit(_source[end]));
    }

    /// <summary>Marks the letters and digits of a part of the text.</summary>
    public void Mark(bool[] marked, int start, int end)
    {
        for (int i = 0; i < marked.Length; i++)
        {
            marked[i] |= _places[i].Start >= start && _places[i].End <= end;
        }
    }

    /// <summary>The text with something else in place of each run of letters and digits, and of what stands between them.</summary>
    public string Without(bool[] left, string mask)
    {
        var text = new StringBuilder(_source.Length);
        int copied = 0;
        for (int i = 0; i < left.Length; i++)
        {
            if (!left[i])
            {
                continue;
            }

            int first = i;
            while (i + 1 < left.Length && left[i + 1])
            {
                i++;
            }

            text.Append(_source, copied, _places[first].Start - copied).Append(mask);
            copied = _places[i].End;
        }

        return text.Append(_source, copied, _source.Length - copied).ToString();
    }

    private static (string Text, List<(int Start, int End)> Places) Unescape(string text, List<(int Start, int End)> places)
    {
        var plain = new StringBuilder(text.Length);
        var where = new List<(int Start, int End)>(text.Length);
        for (int i = 0; i < text.Length;)
        {
            (char c, int length) = Next(text, i);
            plain.Append(c);
            where.Add((places[i].Start, places[i + length - 1].End));
            i += length;
        }

        return (plain.ToString(), where);
    }

    // The character that stands at an index, and how many it is written with.
    private static (char Character, int Length) Next(string text, int at) => text[at] switch
    {
        '%' when Hex(text, at + 1, 2) is { } value => (value, 3),
        '\\' when at + 1 < text.Length && text[at + 1] is 'u' or 'x' && Hex(text, at + 2, text[at + 1] == 'u' ? 4 : 2) is { } value =>
            (value, text[at + 1] == 'u' ? 6 : 4),
        '\\' when at + 1 < text.Length && !char.IsAsciiLetterOrDigit(text[at + 1]) => (text[at + 1], 2),
        '&' => Entity(text, at),
        var c => (c, 1),
    };

    private static (char Character, int Length) Entity(string text, int at)
    {
        if (Array.Find(Entities, entity => string.CompareOrdinal(text, at, entity, 0, entity.Length) == 0) is { } named)
        {
            return (' ', named.Length);
        }

        int end = at + 1 < text.Length && text[at + 1] == '#' ? text.IndexOf(';', at, Math.Min(10, text.Length - at)) : -1;
        ReadOnlySpan<char> number = end < 0 ? default : text.AsSpan(at + 2, end - at - 2);
        bool isHex = number is ['x' or 'X', ..];
        return ushort.TryParse(
            isHex ? number[1..] : number, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out ushort code)
            ? ((char)code, end + 1 - at)
            : ('&', 1);
    }

    private static char? Hex(string text, int at, int digits) => at + digits <= text.Length
        && ushort.TryParse(text.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort code)
        ? (char)code
        : null;
}
