using System.Globalization;

namespace TypedWeights.Manifests;

/// <summary>
/// A pattern that chooses names: that of a manifest, <c>model.layers.{0..15}.mlp.weight</c>, in which <c>*</c> stands for any text, dots
/// included. A name is chosen when all of it matches.
/// </summary>
internal sealed class NameGlob
{
    private readonly string _pattern;
    private readonly List<string> _literals = [];
    private readonly List<NumberRuns> _places = [];

    private NameGlob(string pattern)
    {
        _pattern = pattern;
        PatternExpansion.Parse(pattern, _literals, _places, hasStars: true);
    }

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="FormatException">It is none; the message says what is wrong with it.</exception>
    public static NameGlob Parse(string pattern) =>
        pattern.Length > 0 ? new NameGlob(pattern) : throw new FormatException("it is empty");

    /// <summary>A name that it could choose, as far as its text says: each number the first of its place, nothing for a star.</summary>
    public string Example
    {
        get
        {
            string example = _literals[0];
            for (int i = 0; i < _places.Count; i++)
            {
                example += (_places[i].Count > 0 ? _places[i][0].ToString(CultureInfo.InvariantCulture) : "") + _literals[i + 1];
            }

            return example;
        }
    }

    /// <summary>Whether a name is chosen. Allocates nothing, and takes no longer than the product of both lengths.</summary>
    public bool Matches(string name)
    {
        // What a star has taken is taken back from the last star alone: an earlier one took the least that let what follows it match, and
        // whatever it could take more, the last one can take as well.
        int part = 0, at = 0, star = -1, starAt = 0;
        while (true)
        {
            int end = MatchPart(name, at, part);
            bool isLast = part == _places.Count;
            if (end >= 0 && !isLast)
            {
                at = end;
                if (_places[part].Count == 0)
                {
                    (star, starAt) = (part, at);
                }

                part++;
            }
            else if (end == name.Length && isLast)
            {
                return true;
            }
            else if (star < 0 || ++starAt > name.Length)
            {
                return false;
            }
            else
            {
                (part, at) = (star + 1, starAt);
            }
        }
    }

    /// <summary>The pattern as it was written.</summary>
    public override string ToString() => _pattern;

    // A literal, with the number behind it where there is one: the end of what matches, or -1.
    private int MatchPart(string name, int at, int part)
    {
        string literal = _literals[part];
        if (string.CompareOrdinal(name, at, literal, 0, literal.Length) != 0)
        {
            return -1;
        }

        at += literal.Length;
        if (part == _places.Count || _places[part].Count == 0)
        {
            return at;
        }

        // As NamePattern.IsNumber has it: no leading zero, at most nine digits.
        const int MostDigits = 9;
        int end = at;
        int number = 0;
        while (end < name.Length && name[end] is >= '0' and <= '9' && end - at < MostDigits)
        {
            number = (number * 10) + (name[end++] - '0');
        }

        bool isNumber = end > at && (end == at + 1 || name[at] != '0') && (end == name.Length || name[end] is < '0' or > '9');
        return isNumber && _places[part].Contains(number) ? end : -1;
    }
}
