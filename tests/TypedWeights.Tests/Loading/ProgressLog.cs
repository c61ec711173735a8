using System.Collections.Concurrent;

namespace TypedWeights.Tests.Loading;

/// <summary>Keeps every report, on the thread that made it; <see cref="Progress{T}"/> would lose the order.</summary>
internal sealed class ProgressLog : IProgress<LoadProgress>
{
    public ConcurrentQueue<LoadProgress> Reports { get; } = new();

    public void Report(LoadProgress value) => Reports.Enqueue(value);
}
