using System.Globalization;
using System.Text;

namespace TypedWeights.Manifests;

/// <summary>
/// Names that differ in their numbers only, as one: <c>model.layers.{0..31}.mlp.experts.{0..7}.w1.weight</c> is every combination,
/// the first number changing slowest.
/// </summary>
internal sealed class NamePattern
{
    // More numbers than any real name has; a name of thousands of numbers must not become thousands of levels.
    private const int MostNumbers = 8;

    // A longer name is taken as it is: that of one tensor can be a hundred megabytes of dots, each of which would become a string.
    private const int LongestName = 4096;

    private NamePattern(string skeleton, int[][] numbers)
    {
        Skeleton = skeleton;
        Numbers = numbers;
    }

    /// <summary>The escaped name with <c>{}</c> in the place of each number.</summary>
    public string Skeleton { get; }

    /// <summary>For each place the numbers it takes, rising.</summary>
    public int[][] Numbers { get; }

    /// <summary>How many names it stands for.</summary>
    public int Count => Numbers.Aggregate(1, static (count, numbers) => count * numbers.Length);

    /// <summary>Finds patterns that stand for exactly the given names, in the order of the names' first appearance.</summary>
    /// <param name="names">Distinct names.</param>
    /// <param name="escape">Writes a segment so that a brace in it is not taken for a place.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static List<NamePattern> Factor(IEnumerable<string> names, Func<string, string> escape, CancellationToken cancellationToken)
    {
        var bySkeleton = new Dictionary<string, List<int[]>>(StringComparer.Ordinal);
        var order = new List<string>();
        foreach (string name in names)
        {
            cancellationToken.ThrowIfCancellationRequested();
            string skeleton = Split(name, escape, out int[] numbers);
            if (!bySkeleton.TryGetValue(skeleton, out List<int[]>? rows))
            {
                rows = [];
                bySkeleton.Add(skeleton, rows);
                order.Add(skeleton);
            }

            rows.Add(numbers);
        }

        var patterns = new List<NamePattern>();
        foreach (string skeleton in order)
        {
            cancellationToken.ThrowIfCancellationRequested();
            List<int[]> rows = bySkeleton[skeleton];
            rows.Sort(Compare);
            patterns.AddRange(Products(rows, 0, rows.Count, 0).Select(numbers => new NamePattern(skeleton, numbers)));
        }

        return patterns;
    }

    /// <summary>A number as it stands in a name: no sign, no leading zero, at most nine digits.</summary>
    public static bool IsNumber(string segment) => IsNumber(segment, 0, segment.Length);

    private static bool IsNumber(string text, int start, int end)
    {
        if (end - start is 0 or > 9 || (end > start + 1 && text[start] == '0'))
        {
            return false;
        }

        for (int i = start; i < end; i++)
        {
            if (text[i] is < '0' or > '9')
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A number for each skeleton, hardly ever the same for two of them: what tells names apart before any text is made.</summary>
    public static int HashSkeleton(string name)
    {
        int hash = 17, found = 0, start = 0;
        while (start <= name.Length)
        {
            int dot = name.IndexOf('.', start);
            int end = dot < 0 ? name.Length : dot;
            bool isNumber = found < MostNumbers && IsNumber(name, start, end);
            found += isNumber ? 1 : 0;
            for (int i = start; i < end && !isNumber; i++)
            {
                hash = unchecked((hash * 31) + name[i]);
            }

            hash = unchecked((hash * 31) + (isNumber ? 1 : 2));
            start = end + 1;
        }

        return hash;
    }

    /// <summary>The pattern as text.</summary>
    public override string ToString()
    {
        if (Numbers.Length == 0)
        {
            return Skeleton;
        }

        var text = new StringBuilder(Skeleton.Length + 16);
        int from = 0;
        foreach (int[] numbers in Numbers)
        {
            int place = Skeleton.IndexOf("{}", from, StringComparison.Ordinal);
            text.Append(Skeleton, from, place - from);
            from = place + 2;
            if (numbers.Length == 1)
            {
                text.Append(numbers[0].ToString(CultureInfo.InvariantCulture));
            }
            else
            {
                text.Append('{').Append(IndexRuns.Text(numbers, ',')).Append('}');
            }
        }

        return text.Append(Skeleton, from, Skeleton.Length - from).ToString();
    }

    private static string Split(string name, Func<string, string> escape, out int[] numbers)
    {
        if (name.Length > LongestName)
        {
            numbers = [];
            return escape(name);
        }

        var found = new List<int>();
        string[] segments = name.Split('.');
        for (int i = 0; i < segments.Length; i++)
        {
            if (found.Count < MostNumbers && IsNumber(segments[i]))
            {
                found.Add(int.Parse(segments[i], NumberStyles.None, CultureInfo.InvariantCulture));
                segments[i] = "{}";
            }
            else if (segments[i].Length > 0 || segments.Length == 1)
            {
                segments[i] = escape(segments[i]);
            }
        }

        numbers = [.. found];
        return string.Join(".", segments);
    }

    // The rows from start to end agree on all numbers before the column. First values whose remainders are the same products are
    // drawn together; what is left over stands as a product of its own.
    private static List<int[][]> Products(List<int[]> rows, int start, int end, int column)
    {
        if (column == rows[start].Length)
        {
            return [[]];
        }

        // As of names that have no pattern, and there may be hundreds of thousands.
        if (end - start == 1)
        {
            return [[.. rows[start].Skip(column).Select(static number => new[] { number })]];
        }

        var values = new Dictionary<string, (List<int> Heads, List<int[][]> Tails)>(StringComparer.Ordinal);
        var order = new List<string>();
        for (int i = start; i < end;)
        {
            int value = rows[i][column];
            int next = i + 1;
            while (next < end && rows[next][column] == value)
            {
                next++;
            }

            List<int[][]> tails = Products(rows, i, next, column + 1);
            string key = string.Join(
                ";", tails.Select(static numbers => string.Join("|", numbers.Select(static n => IndexRuns.Text(n, ',')))));
            if (!values.TryGetValue(key, out (List<int> Heads, List<int[][]> Tails) same))
            {
                same = (new List<int>(1), tails);
                values.Add(key, same);
                order.Add(key);
            }

            same.Heads.Add(value);
            i = next;
        }

        var products = new List<int[][]>();
        foreach (string key in order)
        {
            (List<int> heads, List<int[][]> remainders) = values[key];
            int[] head = [.. heads];
            products.AddRange(remainders.Select(numbers => (int[][])[head, .. numbers]));
        }

        return products;
    }

    private static int Compare(int[] a, int[] b)
    {
        for (int i = 0; i < a.Length; i++)
        {
            int difference = a[i].CompareTo(b[i]);
            if (difference != 0)
            {
                return difference;
            }
        }

        return 0;
    }
}
