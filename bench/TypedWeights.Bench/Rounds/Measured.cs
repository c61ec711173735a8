namespace TypedWeights.Bench;

/// <summary>The counted rounds of one case.</summary>
internal sealed class Measured(string name)
{
    private readonly List<Sample> _samples = [];

    public string Name { get; } = name;

    /// <summary>Seconds of the median round.</summary>
    public double Median => MedianOf(sample => sample.Seconds);

    /// <summary>CPU seconds of this process, user and system: the median of the rounds.</summary>
    public double Cpu => MedianOf(sample => sample.Cpu);

    /// <summary>Allocated managed bytes: the median of the rounds.</summary>
    public double Garbage => MedianOf(sample => sample.Garbage);

    /// <summary>The time of the last round as text; empty before the first round.</summary>
    public string Last => _samples.Count == 0 ? "" : Figures.Text.Of($"{_samples[^1].Seconds * 1000:F3} ms");

    public void Add(Sample sample) => _samples.Add(sample);

    private double MedianOf(Func<Sample, double> value) => _samples.Select(value).Order().ElementAt(_samples.Count / 2);
}
