using System.Globalization;

namespace TypedWeights.Manifests;

/// <summary>
/// A pattern that matches names: the pattern of a manifest, <c>model.layers.{0..15}.mlp.weight</c>, in which <c>*</c> matches any text, dots
/// included. All of a name must match.
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
    /// <exception cref="FormatException">The text is not a pattern; the message says what is wrong with it.</exception>
    public static NameGlob Parse(string pattern) =>
        pattern.Length > 0 ? new NameGlob(pattern) : throw new FormatException("it is empty");

    /// <summary>A name that the pattern could match: of each place the first number, nothing for a star.</summary>
    public string Example => string.Concat(_literals.Zip(
        _places.Select(static place => place.Numbers.Take(1)).Append([]),
        static (literal, number) => literal + string.Concat(number.Select(static n => n.ToString(CultureInfo.InvariantCulture)))));

    /// <summary>Whether a name matches. Allocates little, and takes no longer than the product of both lengths.</summary>
    public bool Matches(string name)
    {
        // Only the last star takes more text on a mismatch: an earlier star took the least text with which the part behind it matches, and the
        // last star can take whatever an earlier star could take in addition.
        int part = 0, at = 0, star = -1, starAt = 0;
        while (true)
        {
            int end = MatchPart(name, at, part);
            bool isLast = part == _places.Count;
            if (end >= 0 && !isLast)
            {
                at = end;
                if (_places[part].IsEmpty)
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

    // Matches a literal and the number behind it, if there is one. Returns the end of the match, or -1.
    private int MatchPart(string name, int at, int part)
    {
        string literal = _literals[part];
        if (string.CompareOrdinal(name, at, literal, 0, literal.Length) != 0)
        {
            return -1;
        }

        at += literal.Length;
        if (part == _places.Count || _places[part].IsEmpty)
        {
            return at;
        }

        int end = at;
        return NumberRuns.TryRead(name, ref end, name.Length, out int number) && _places[part].Contains(number) ? end : -1;
    }
}
