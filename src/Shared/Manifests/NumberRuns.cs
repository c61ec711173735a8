namespace TypedWeights.Manifests;

/// <summary>Whole numbers as they are written, <c>0..4,60,61</c>: their ends, so that a few characters never take the memory of a billion.</summary>
internal sealed class NumberRuns
{
    private readonly List<(int First, int Last)> _runs = [];

    // How many numbers there are before each run.
    private readonly List<long> _before = [];
    private bool _isRising = true;

    /// <summary>No numbers.</summary>
    public static NumberRuns None { get; } = new();

    /// <summary>How many there are; one that is written twice counts twice.</summary>
    public long Count { get; private set; }

    /// <summary>The largest; -1 where there is none.</summary>
    public int Largest { get; private set; } = -1;

    /// <summary>A number by its place.</summary>
    public int this[long index]
    {
        get
        {
            int run = _before.BinarySearch(index);
            run = run >= 0 ? run : ~run - 1;
            return _runs[run].First + (int)(index - _before[run]);
        }
    }

    /// <summary>Reads numbers; a layout may have tens of thousands, so no text is made of each.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static NumberRuns Parse(string text, int start, int end, char separator)
    {
        var numbers = new NumberRuns();
        int at = start;
        while (true)
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
                throw new FormatException($"{first}..{last} is no range of numbers");
            }

            numbers.Add(first, last);
            if (at == end)
            {
                return numbers;
            }

            if (text[at++] != separator)
            {
                throw new FormatException($"'{text[at - 1]}' among numbers");
            }
        }
    }

    /// <summary>Whether a number is among them.</summary>
    public bool Contains(int number)
    {
        if (!_isRising)
        {
            return _runs.Exists(run => run.First <= number && number <= run.Last);
        }

        int low = 0, high = _runs.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            (int first, int last) = _runs[middle];
            if (number >= first && number <= last)
            {
                return true;
            }

            (low, high) = number < first ? (low, middle - 1) : (middle + 1, high);
        }

        return false;
    }

    private void Add(int first, int last)
    {
        _isRising &= first > Largest;
        _runs.Add((first, last));
        _before.Add(Count);
        Count += (long)last - first + 1;
        Largest = Math.Max(Largest, last);
    }

    // No number of a name has more digits (NamePattern.IsNumber).
    private static int Number(string text, ref int at, int end)
    {
        const int Most = 999_999_999;
        int start = at;
        int number = 0;
        while (at < end && text[at] is >= '0' and <= '9' && number <= Most / 10)
        {
            number = (number * 10) + (text[at++] - '0');
        }

        bool isWhole = at > start && (at == end || text[at] is < '0' or > '9');
        return isWhole ? number : throw new FormatException("a number is missing or too large");
    }
}
