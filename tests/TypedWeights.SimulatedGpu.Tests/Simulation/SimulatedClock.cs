namespace TypedWeights.Tests.Simulation;

/// <summary>
/// What must have happened before something: for each stream, the number of its first pieces of work that are done by then. Two pieces of
/// which neither must come first can come in any order on a card, whatever order a test happens to see.
/// </summary>
internal sealed class SimulatedClock
{
    private readonly Dictionary<int, long> _done = [];

    public SimulatedClock()
    {
    }

    private SimulatedClock(SimulatedClock other) => _done = new Dictionary<int, long>(other._done);

    public bool Has(int stream, long work) => _done.TryGetValue(stream, out long done) && done >= work;

    public void Add(int stream, long work) => _done[stream] = Math.Max(_done.GetValueOrDefault(stream), work);

    public void Add(SimulatedClock other)
    {
        foreach ((int stream, long work) in other._done)
        {
            Add(stream, work);
        }
    }

    public SimulatedClock Copy() => new(this);
}
