using System.Globalization;
using System.Text;

namespace TypedWeights.Manifests;

/// <summary>
/// Names that differ only in their numbers, as one pattern: <c>model.layers.{0..31}.mlp.experts.{0..7}.w1.weight</c> is every combination,
/// the first number changing slowest.
/// </summary>
internal sealed class NamePattern
{
    // More numbers than any real name has: a name of thousands of numbers must not become thousands of levels.
    private const int MostNumbers = 8;

    // A longer name is not split: the name of one tensor can be a hundred megabytes of dots, each of which would become a string.
    private const int LongestName = 4096;

    private NamePattern(string skeleton, int[][] numbers)
    {
        Skeleton = skeleton;
        Numbers = numbers;
    }

    /// <summary>The escaped name with <c>{}</c> in the place of each number.</summary>
    public string Skeleton { get; }

    /// <summary>The numbers of each place, ascending.</summary>
    public int[][] Numbers { get; }

    /// <summary>How many names it stands for.</summary>
    public int Count => Numbers.Aggregate(1, static (count, numbers) => count * numbers.Length);

    /// <summary>Finds patterns that stand for exactly the given names, in the order of the names' first appearance.</summary>
    /// <param name="names">Distinct names.</param>
    /// <param name="escape">Writes a segment so that a brace in it does not look like a place.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>The patterns, each made when the caller reaches it: there may be as many as there are names.</returns>
    public static IEnumerable<NamePattern> Factor(
        IEnumerable<string> names, Func<string, string> escape, CancellationToken cancellationToken)
    {
        // A dictionary without removals enumerates in the order of insertion.
        var bySkeleton = new Dictionary<string, List<int[]>>(StringComparer.Ordinal);
        var text = new StringBuilder();
        var numbers = new List<int>();
        foreach (string name in names)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Split(name, escape, text, numbers);
            string skeleton = text.ToString();
            if (!bySkeleton.TryGetValue(skeleton, out List<int[]>? rows))
            {
                rows = new List<int[]>(1);
                bySkeleton.Add(skeleton, rows);
            }

            rows.Add([.. numbers]);
        }

        foreach (KeyValuePair<string, List<int[]>> same in bySkeleton)
        {
            same.Value.Sort(static (a, b) => Compare(a, b, 0));
            foreach (int[][] product in Products(same.Value, 0, same.Value.Count, 0))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return new NamePattern(same.Key, product);
            }
        }
    }

    /// <summary>Whether a segment of a name is a number: no sign, no leading zero, at most nine digits.</summary>
    public static bool IsNumber(string segment)
    {
        int end = 0;
        return NumberRuns.TryRead(segment, ref end, segment.Length, out _) && end == segment.Length;
    }

    /// <summary>The escaped name with <c>{}</c> in the place of each number: equal for names that differ only in their numbers.</summary>
    public static string SkeletonOf(string name, Func<string, string> escape)
    {
        var text = new StringBuilder(name.Length);
        Split(name, escape, text, []);
        return text.ToString();
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
                text.Append('{').Append(NumberRuns.Text(numbers, ',')).Append('}');
            }
        }

        return text.Append(Skeleton, from, Skeleton.Length - from).ToString();
    }

    // Replaces the content of the skeleton and the numbers by those of a name.
    private static void Split(string name, Func<string, string> escape, StringBuilder skeleton, List<int> numbers)
    {
        skeleton.Clear();
        numbers.Clear();
        for (int start = 0, end; start <= name.Length; start = end + 1)
        {
            int dot = name.Length > LongestName ? -1 : name.IndexOf('.', start);
            end = dot < 0 ? name.Length : dot;
            skeleton.Append(start == 0 ? "" : ".");
            int at = start;
            if (numbers.Count < MostNumbers && NumberRuns.TryRead(name, ref at, end, out int number) && at == end)
            {
                numbers.Add(number);
                skeleton.Append("{}");
            }
            else if (end > start || name.Length == 0)
            {
                skeleton.Append(escape(name.Substring(start, end - start)));
            }
        }
    }

    // The rows from start to end agree on all numbers before the column. Values of the column that are followed by the same rows form one product.
    private static IEnumerable<int[][]> Products(List<int[]> rows, int start, int end, int column)
    {
        // There may be hundreds of thousands of names without a pattern. No two rows are equal, so one row is left behind the last column.
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

        // Each run with the values of the equal runs behind it; null for none. The table has its size from the start, and enumerates in the
        // order of insertion.
        var others = new Dictionary<Run, List<int>?>(count, new RunComparer(rows, column + 1));
        for (int i = start, next; i < end; i = next)
        {
            next = EndOfRun(rows, i, end, column);
            var run = new Run(i, next);
            if (!others.TryGetValue(run, out List<int>? values))
            {
                others.Add(run, null);
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

        foreach (KeyValuePair<Run, List<int>?> run in others)
        {
            int[] head = [rows[run.Key.Start][column], .. run.Value ?? []];
            foreach (int[][] tail in Products(rows, run.Key.Start, run.Key.End, column + 1))
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

    // Rows, from the first to the one before the end, that agree on all numbers up to a column.
    private readonly record struct Run(int Start, int End);

    // Two runs are equal if their rows have the same numbers from a column on.
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
