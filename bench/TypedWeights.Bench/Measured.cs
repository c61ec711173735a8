namespace TypedWeights.Bench;

/// <summary>What the rounds of one case took.</summary>
internal sealed class Measured(string name)
{
    private readonly List<double> _seconds = [];

    public string Name { get; } = name;

    public double Median => _seconds.Order().ElementAt(_seconds.Count / 2);

    /// <summary>The most managed bytes that a round allocated.</summary>
    public long Garbage { get; private set; }

    public void Add(double seconds, long garbage = 0)
    {
        _seconds.Add(seconds);
        Garbage = Math.Max(Garbage, garbage);
    }
}
