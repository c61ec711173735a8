namespace TypedWeights;

/// <summary>Finds the name that somebody probably meant.</summary>
internal static class NearName
{
    // Beyond this, searching costs more than the hint is worth.
    private const int MostCandidates = 20_000;
    private const int LongestName = 256;

    /// <summary>The candidate with the fewest edits from <paramref name="name"/>, or null where none is near.</summary>
    /// <remarks>Near is at most a third of the name's length; among equals the first in ordinal order wins.</remarks>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        if (name.Length is 0 or > LongestName)
        {
            return null;
        }

        int best = Math.Max(2, name.Length / 3) + 1;
        string? found = null;
        foreach (string candidate in candidates.Take(MostCandidates))
        {
            if (candidate.Length > LongestName || Math.Abs(candidate.Length - name.Length) > best)
            {
                continue;
            }

            int distance = Distance(name, candidate, best);
            if (distance < best || (distance == best && found is not null && string.CompareOrdinal(candidate, found) < 0))
            {
                best = distance;
                found = candidate;
            }
        }

        return found;
    }

    // Levenshtein's distance in two rows, given up once every cell of a row is beyond the limit.
    private static int Distance(string a, string b, int limit)
    {
        Span<int> previous = stackalloc int[b.Length + 1];
        Span<int> current = stackalloc int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            previous[j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            int least = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substitution = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                current[j] = Math.Min(substitution, Math.Min(previous[j], current[j - 1]) + 1);
                least = Math.Min(least, current[j]);
            }

            if (least > limit)
            {
                return int.MaxValue;
            }

            Span<int> swap = previous;
            previous = current;
            current = swap;
        }

        return previous[b.Length];
    }
}
