using System.Globalization;

namespace TypedWeights;

/// <summary>Names in order, for searches below a prefix.</summary>
internal sealed class NameIndex
{
    private readonly string[] _sorted;

    public NameIndex(IEnumerable<string> names)
    {
        _sorted = [.. names];
        Array.Sort(_sorted, StringComparer.Ordinal);
    }

    /// <summary>Whether any name lies below a group.</summary>
    /// <param name="group">The group's full name.</param>
    public bool HasGroup(string group)
    {
        string prefix = group + ".";
        int at = Array.BinarySearch(_sorted, prefix, StringComparer.Ordinal);
        at = at < 0 ? ~at : at;
        return at < _sorted.Length && _sorted[at].StartsWith(prefix, StringComparison.Ordinal);
    }

    /// <summary>How many of a list's children 0, 1, … there are without a gap.</summary>
    /// <param name="list">The list's full name; null for the root.</param>
    /// <param name="most">Where to stop.</param>
    public int CountItems(string? list, int most)
    {
        int count = 0;
        while (count < most && HasItem(list, count))
        {
            count++;
        }

        return count;
    }

    /// <summary>Which of a list's numbered children there are.</summary>
    /// <param name="list">The list's full name; null for the root.</param>
    /// <param name="candidates">The numbers to look for, ascending.</param>
    public int[] PresentItems(string? list, int[] candidates) => [.. candidates.Where(number => HasItem(list, number))];

    private bool HasItem(string? list, int number)
    {
        string name = TensorName.Join(list, number.ToString(CultureInfo.InvariantCulture));
        return Array.BinarySearch(_sorted, name, StringComparer.Ordinal) >= 0 || HasGroup(name);
    }
}
