namespace TypedWeights.Generators;

/// <summary>The steps by which tests see what an edit re-runs.</summary>
internal static class StepNames
{
    /// <summary>What each class says, without its place.</summary>
    public const string Classes = nameof(Classes);

    /// <summary>What each snapshot says.</summary>
    public const string Snapshots = nameof(Snapshots);

    /// <summary>Each class with its snapshot.</summary>
    public const string Matches = nameof(Matches);

    /// <summary>What each generated file is written from.</summary>
    public const string Models = nameof(Models);

    /// <summary>The stores of referenced packages.</summary>
    public const string Providers = nameof(Providers);
}
