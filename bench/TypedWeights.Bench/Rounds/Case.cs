namespace TypedWeights.Bench;

/// <summary>One of the ways that are compared.</summary>
/// <param name="Name">What it is called in the rounds and in the table.</param>
/// <param name="Run">One round of it.</param>
internal sealed record Case(string Name, Func<Task<Sample>> Run)
{
    public Measured Measured { get; } = new(Name);
}
