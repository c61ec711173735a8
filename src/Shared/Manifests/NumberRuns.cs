using System.Globalization;

namespace TypedWeights.Manifests;

/// <summary>Whole numbers as manifests and patterns write them, <c>0..4,60,61</c>. A run takes the memory of its two ends.</summary>
internal sealed class NumberRuns
{
    private readonly List<(int First, int Last)> _runs = [];

    /// <summary>No numbers.</summary>
    public static NumberRuns None { get; } = new();

    /// <summary>Whether there are no numbers.</summary>
    public bool IsEmpty => _runs.Count == 0;

    /// <summary>The numbers as written; a number that is written twice comes twice.</summary>
    public IEnumerable<int> Numbers => _runs.SelectMany(static run => Enumerable.Range(run.First, run.Last - run.First + 1));

    /// <summary>Whether a number is among them.</summary>
    public bool Contains(int number) => _runs.Exists(run => run.First <= number && number <= run.Last);

    /// <summary>Reads numbers. A layout may have tens of thousands, so no text is made of each.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static NumberRuns Parse(string text, int start, int end, char separator)
    {
        var numbers = new NumberRuns();
        for (int at = start; ; at++)
        {
            int first = Number(text, ref at, end);
            int last = first;
            if (at + 1 < end && text[at] == '.' && text[at + 1] == '.')
            {
                at += 2;
                last = Number(text, ref at, end);
            }

            if (last < first)
            {
                throw new FormatException($"{first}..{last} is not a range of ascending numbers");
            }

            numbers._runs.Add((first, last));
            if (at == end)
            {
                return numbers;
            }

            if (text[at] != separator)
            {
                throw new FormatException($"'{text[at]}' in a list of numbers");
            }
        }
    }

    /// <summary>Reads a number as names have it: no sign, no leading zero, at most nine digits.</summary>
    /// <param name="text">The text.</param>
    /// <param name="at">Where the number starts; then where it ends.</param>
    /// <param name="end">Where the text ends.</param>
    /// <param name="number">The number.</param>
    public static bool TryRead(string text, ref int at, int end, out int number)
    {
        const int MostDigits = 9;
        int start = at;
        number = 0;
        while (at < end && at - start < MostDigits && text[at] is >= '0' and <= '9')
        {
            number = (number * 10) + (text[at++] - '0');
        }

        return at > start && (at == start + 1 || text[start] != '0') && (at == end || text[at] is < '0' or > '9');
    }

    /// <summary>Writes numbers, three or more consecutive numbers as a run.</summary>
    public static string Text(IReadOnlyList<int> numbers, char separator)
    {
        var runs = new List<string>();
        for (int i = 0; i < numbers.Count;)
        {
            int start = i++;
            while (i < numbers.Count && numbers[i] == numbers[i - 1] + 1)
            {
                i++;
            }

            string first = numbers[start].ToString(CultureInfo.InvariantCulture);
            string last = numbers[i - 1].ToString(CultureInfo.InvariantCulture);
            runs.Add(i - start == 1 ? first : first + (i - start == 2 ? separator.ToString() : "..") + last);
        }

        return string.Join(separator.ToString(), runs);
    }

    private static int Number(string text, ref int at, int end) =>
        TryRead(text, ref at, end, out int number) ? number : throw new FormatException("a number is missing or too large");
}
