namespace TypedWeights.Bench;

/// <summary>One of the compared ways.</summary>
/// <param name="Name">Its name in the rounds and in the table.</param>
/// <param name="Run">Runs one round of it.</param>
internal sealed record Case(string Name, Func<Task<Sample>> Run)
{
    public Measured Measured { get; } = new(Name);
}
