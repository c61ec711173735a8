namespace TypedWeights.Tests.Simulation;

/// <summary>An event of the simulated driver.</summary>
internal sealed class SimulatedEvent(SimulatedDevice device)
{
    public SimulatedDevice Device { get; } = device;

    /// <summary>The mark that was recorded last; null as long as there is none, which counts as done.</summary>
    public Mark? Last { get; set; }

    /// <summary>One recording of an event.</summary>
    internal sealed class Mark(SimulatedClock clock)
    {
        /// <summary>What is done when this mark is reached.</summary>
        public SimulatedClock Clock { get; } = clock;

        /// <summary>Set when it is reached.</summary>
        public ManualResetEventSlim Reached { get; } = new(false);
    }
}
