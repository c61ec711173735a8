namespace TypedWeights.Transfer.Scheduling;

/// <summary>
/// Finds, when nothing is left to hand out, the runs that will keep everybody waiting: those that need much longer for what they are
/// missing than the average run took for a whole range.
/// </summary>
internal sealed class Stragglers(TimeProvider time)
{
    // Below this a second request costs more than it can win.
    private static readonly TimeSpan Soonest = TimeSpan.FromMilliseconds(200);

    private const double MuchLonger = 2;

    private readonly Lock _lock = new();
    private readonly HashSet<RangeRun> _runs = [];
    private double _secondsPerByte;
    private int _finished;

    public void Add(RangeRun run)
    {
        lock (_lock)
        {
            _runs.Add(run);
        }
    }

    public void Remove(RangeRun run)
    {
        double seconds = time.GetElapsedTime(run.StartedAt).TotalSeconds;
        lock (_lock)
        {
            _runs.Remove(run);
            _finished++;
            _secondsPerByte += (seconds / run.Range.Length - _secondsPerByte) / _finished;
        }
    }

    /// <summary>The runs worth a hedge, the slowest first.</summary>
    /// <param name="most">How many connections are free for that.</param>
    public IReadOnlyList<RangeRun> Find(int most)
    {
        lock (_lock)
        {
            return
            [
                .. _runs.Select(run => (Run: run, Left: SecondsLeft(run)))
                    .Where(item => !item.Run.Source.IsSequential && item.Left > Soonest.TotalSeconds && item.Left > Usual(item.Run) * MuchLonger)
                    .OrderByDescending(item => item.Left)
                    .Take(Math.Max(0, most))
                    .Select(item => item.Run),
            ];
        }
    }

    // With nothing finished there is nothing to compare with: all began together.
    private double Usual(RangeRun run) => _finished == 0 ? double.PositiveInfinity : _secondsPerByte * (run.Range.Length - run.Received);

    private double SecondsLeft(RangeRun run)
    {
        double seconds = time.GetElapsedTime(run.StartedAt).TotalSeconds;
        long received = run.Received;
        if (received == 0)
        {
            // As long again as it has been waited for, and what the range usually takes.
            return seconds + _secondsPerByte * run.Range.Length;
        }

        return seconds / received * (run.Range.Length - received);
    }
}
