namespace TypedWeights.Weights;

/// <summary>The load that still fills a <see cref="WeightSet"/>.</summary>
internal interface IRunningLoad
{
    /// <summary>Ends when the load has ended, as it did.</summary>
    Task End { get; }

    /// <summary>Ends the load and returns when it has ended: nothing is written any more.</summary>
    void Stop();
}
