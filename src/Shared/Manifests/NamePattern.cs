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
    /// <returns>The patterns, each made when it is asked for: there may be as many as there are names.</returns>
    public static IEnumerable<NamePattern> Factor(
        IEnumerable<string> names, Func<string, string> escape, CancellationToken cancellationToken)
    {
        // By the first name of each skeleton: no text is made of the others, of which there may be a million.
        var bySkeleton = new Dictionary<string, List<int[]>>(new SkeletonComparer());
        var order = new List<string>();
        foreach (string name in names)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!bySkeleton.TryGetValue(name, out List<int[]>? rows))
            {
                rows = new List<int[]>(1);
                bySkeleton.Add(name, rows);
                order.Add(name);
            }

            rows.Add(NumbersOf(name));
        }

        foreach (string name in order)
        {
            List<int[]> rows = bySkeleton[name];
            rows.Sort(static (a, b) => Compare(a, b, 0));
            string skeleton = SkeletonOf(name, escape);
            foreach (int[][] numbers in Products(rows, 0, rows.Count, 0))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return new NamePattern(skeleton, numbers);
            }
        }
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
        while (NextSegment(name, ref start, ref found, out int from, out int end, out bool isNumber))
        {
            for (int i = from; i < end && !isNumber; i++)
            {
                hash = unchecked((hash * 31) + name[i]);
            }

            hash = unchecked((hash * 31) + (isNumber ? 1 : 2));
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

    // The next part of a name between two dots, and whether it is a number that has a place in the skeleton.
    private static bool NextSegment(string name, ref int start, ref int found, out int from, out int end, out bool isNumber)
    {
        from = start;
        end = from;
        isNumber = false;
        if (from > name.Length)
        {
            return false;
        }

        int dot = name.Length > LongestName ? -1 : name.IndexOf('.', from);
        end = dot < 0 ? name.Length : dot;
        isNumber = found < MostNumbers && IsNumber(name, from, end);
        found += isNumber ? 1 : 0;
        start = end + 1;
        return true;
    }

    private static int[] NumbersOf(string name)
    {
        int count = 0, start = 0;
        while (NextSegment(name, ref start, ref count, out _, out _, out _))
        {
        }

        int[] numbers = count == 0 ? [] : new int[count];
        int found = 0;
        start = 0;
        while (NextSegment(name, ref start, ref found, out int from, out int end, out bool isNumber))
        {
            for (int i = from; i < end && isNumber; i++)
            {
                numbers[found - 1] = (numbers[found - 1] * 10) + (name[i] - '0');
            }
        }

        return numbers;
    }

    private static string SkeletonOf(string name, Func<string, string> escape)
    {
        var text = new StringBuilder(name.Length);
        int start = 0, found = 0;
        while (NextSegment(name, ref start, ref found, out int from, out int end, out bool isNumber))
        {
            text.Append(from == 0 ? "" : ".");
            if (isNumber)
            {
                text.Append("{}");
            }
            else if (end > from || name.Length == 0)
            {
                text.Append(escape(name.Substring(from, end - from)));
            }
        }

        return text.ToString();
    }

    // The rows from start to end agree on all numbers before the column. First values that the same rows follow are drawn together; what is
    // left over is a product of its own.
    private static IEnumerable<int[][]> Products(List<int[]> rows, int start, int end, int column)
    {
        // Of names that have no pattern there may be hundreds of thousands. No two rows are the same, so there is one behind the last column.
        if (end - start == 1)
        {
            yield return [.. rows[start].Skip(column).Select(static number => new[] { number })];
            yield break;
        }

        int count = 0;
        for (int i = start; i < end; i = EndOfRun(rows, i, end, column))
        {
            count++;
        }

        // Each run with the others that are drawn to it; null where there are none. All have room from the start: no table grows.
        var others = new Dictionary<Run, List<int>?>(count, new RunComparer(rows, column + 1));
        var runs = new List<Run>(count);
        for (int i = start, next; i < end; i = next)
        {
            next = EndOfRun(rows, i, end, column);
            var run = new Run(i, next);
            if (!others.TryGetValue(run, out List<int>? values))
            {
                others.Add(run, null);
                runs.Add(run);
            }
            else if (values is null)
            {
                others[run] = [rows[i][column]];
            }
            else
            {
                values.Add(rows[i][column]);
            }
        }

        foreach (Run run in runs)
        {
            int[] head = [rows[run.Start][column], .. others[run] ?? []];
            foreach (int[][] tail in Products(rows, run.Start, run.End, column + 1))
            {
                yield return [head, .. tail];
            }
        }
    }

    private static int EndOfRun(List<int[]> rows, int start, int end, int column)
    {
        int next = start + 1;
        while (next < end && rows[next][column] == rows[start][column])
        {
            next++;
        }

        return next;
    }

    private static int Compare(int[] a, int[] b, int column)
    {
        for (int i = column; i < a.Length; i++)
        {
            int difference = a[i].CompareTo(b[i]);
            if (difference != 0)
            {
                return difference;
            }
        }

        return 0;
    }

    // Names are the same that differ in their numbers only.
    private sealed class SkeletonComparer : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => x is not null && y is not null && AreSame(x, y);

        public int GetHashCode(string name) => HashSkeleton(name);

        private static bool AreSame(string a, string b)
        {
            int startA = 0, startB = 0, foundA = 0, foundB = 0;
            while (NextSegment(a, ref startA, ref foundA, out int fromA, out int endA, out bool isNumber))
            {
                if (!NextSegment(b, ref startB, ref foundB, out int fromB, out int endB, out bool isNumberToo)
                    || isNumber != isNumberToo
                    || (!isNumber && !a.AsSpan(fromA, endA - fromA).SequenceEqual(b.AsSpan(fromB, endB - fromB))))
                {
                    return false;
                }
            }

            return startB > b.Length;
        }
    }

    // Rows, from the first to the one before the end, that agree on all numbers up to a column.
    private readonly record struct Run(int Start, int End);

    // Runs are the same whose rows have the same numbers from a column on.
    private sealed class RunComparer(List<int[]> rows, int column) : IEqualityComparer<Run>
    {
        public bool Equals(Run a, Run b)
        {
            int length = a.End - a.Start;
            bool isSame = length == b.End - b.Start;
            for (int i = 0; i < length && isSame; i++)
            {
                isSame = Compare(rows[a.Start + i], rows[b.Start + i], column) == 0;
            }

            return isSame;
        }

        public int GetHashCode(Run run)
        {
            int hash = 17;
            for (int i = run.Start; i < run.End; i++)
            {
                for (int j = column; j < rows[i].Length; j++)
                {
                    hash = unchecked((hash * 31) + rows[i][j]);
                }
            }

            return hash;
        }
    }
}
