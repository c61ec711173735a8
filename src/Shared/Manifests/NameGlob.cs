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
    private readonly List<int[]> _places = [];

    private NameGlob(string pattern)
    {
        _pattern = pattern;
        PatternExpansion.Parse(pattern, _literals, _places, hasStars: true);
        foreach (int[] numbers in _places)
        {
            Array.Sort(numbers);
        }
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
                example += (_places[i].Length > 0 ? _places[i][0].ToString(CultureInfo.InvariantCulture) : "") + _literals[i + 1];
            }

            return example;
        }
    }

    public bool Matches(string name) => Matches(name, 0, 0);

    /// <summary>The pattern as it was written.</summary>
    public override string ToString() => _pattern;

    private bool Matches(string name, int at, int part)
    {
        string literal = _literals[part];
        if (string.CompareOrdinal(name, at, literal, 0, literal.Length) != 0)
        {
            return false;
        }

        at += literal.Length;
        if (part == _places.Count)
        {
            return at == name.Length;
        }

        if (_places[part].Length > 0)
        {
            int end = at;
            while (end < name.Length && name[end] is >= '0' and <= '9')
            {
                end++;
            }

            string digits = name.Substring(at, end - at);
            return NamePattern.IsNumber(digits)
                && Array.BinarySearch(_places[part], int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture)) >= 0
                && Matches(name, end, part + 1);
        }

        // The end first: most stars are the last of their pattern.
        for (int end = name.Length; end >= at; end--)
        {
            if (Matches(name, end, part + 1))
            {
                return true;
            }
        }

        return false;
    }
}
