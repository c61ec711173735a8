namespace TypedWeights;

/// <summary>A checkpoint that is not the one a class was generated for. It carries every departure; nothing was loaded.</summary>
public sealed class WeightMismatchException : WeightsException
{
    private const int MostInMessage = 20;

    /// <summary>Makes the error.</summary>
    /// <param name="source">The checkpoint as it may be shown.</param>
    /// <param name="mismatches">Every departure, at least one.</param>
    public WeightMismatchException(string source, IReadOnlyList<WeightMismatch> mismatches)
        : base(Describe(source, mismatches)) => Mismatches = mismatches;

    /// <summary>Every departure: the missing, then the different, then the unexpected, each in ordinal order of names.</summary>
    public IReadOnlyList<WeightMismatch> Mismatches { get; }

    private static string Describe(string source, IReadOnlyList<WeightMismatch> mismatches)
    {
        IEnumerable<string> lines = mismatches.Take(MostInMessage).Select(mismatch => $"\n  {mismatch}");
        string more = mismatches.Count > MostInMessage ? $"\n  and {mismatches.Count - MostInMessage} more (see Mismatches)" : "";
        return $"{source}: {mismatches.Count} tensor{(mismatches.Count == 1 ? "" : "s")} differ from what the class was generated for; "
            + "take the snapshot again if the new file is right."
            + string.Concat(lines) + more;
    }
}
