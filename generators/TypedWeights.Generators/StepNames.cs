namespace TypedWeights.Generators;

/// <summary>The names of the steps, by which tests see what an edit runs again.</summary>
internal static class StepNames
{
    /// <summary>Each class, without its location.</summary>
    public const string Classes = nameof(Classes);

    /// <summary>The content of each snapshot.</summary>
    public const string Snapshots = nameof(Snapshots);

    /// <summary>Each class with its snapshot.</summary>
    public const string Matches = nameof(Matches);

    /// <summary>What each generated file is written from.</summary>
    public const string Models = nameof(Models);

    /// <summary>The stores of referenced packages.</summary>
    public const string Providers = nameof(Providers);
}
