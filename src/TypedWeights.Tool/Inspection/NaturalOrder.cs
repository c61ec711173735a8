namespace TypedWeights.Tool.Inspection;

/// <summary>Orders names as people count: runs of digits by their value, everything else by code unit.</summary>
internal sealed class NaturalOrder : IComparer<string>
{
    public static NaturalOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        ReadOnlySpan<char> a = x;
        ReadOnlySpan<char> b = y;
        while (!a.IsEmpty && !b.IsEmpty)
        {
            int digitsA = Digits(a);
            int digitsB = Digits(b);
            int order = digitsA > 0 && digitsB > 0 ? CompareNumbers(a[..digitsA], b[..digitsB]) : a[0].CompareTo(b[0]);
            if (order != 0)
            {
                return order;
            }

            a = a[Math.Max(digitsA, 1)..];
            b = b[Math.Max(digitsB, 1)..];
        }

        return a.Length.CompareTo(b.Length) is var rest and not 0 ? rest : string.CompareOrdinal(x, y);
    }

    // Numbers may be of any length: without leading zeros, the longer one is greater.
    private static int CompareNumbers(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        a = a.TrimStart('0');
        b = b.TrimStart('0');
        return a.Length != b.Length ? a.Length.CompareTo(b.Length) : a.SequenceCompareTo(b);
    }

    private static int Digits(ReadOnlySpan<char> text)
    {
        int end = text.IndexOfAnyExceptInRange('0', '9');
        return end < 0 ? text.Length : end;
    }
}
