namespace TypedWeights;

/// <summary>A checkpoint does not match the class that it is loaded into. The exception lists every mismatch; nothing was loaded.</summary>
public sealed class WeightMismatchException : WeightsException
{
    private const int MostInMessage = 20;

    /// <summary>Makes the error.</summary>
    /// <param name="source">The checkpoint as it may be shown.</param>
    /// <param name="mismatches">Every mismatch, at least one.</param>
    public WeightMismatchException(string source, IReadOnlyList<WeightMismatch> mismatches)
        : base(Describe(source, mismatches)) => Mismatches = mismatches;

    /// <summary>Every mismatch: missing tensors first, then different ones, then unexpected ones, each in ordinal order of names.</summary>
    public IReadOnlyList<WeightMismatch> Mismatches { get; }

    private static string Describe(string source, IReadOnlyList<WeightMismatch> mismatches)
    {
        IEnumerable<string> lines = mismatches.Take(MostInMessage).Select(mismatch => $"\n  {mismatch}");
        string more = mismatches.Count > MostInMessage ? $"\n  and {mismatches.Count - MostInMessage} more (see Mismatches)" : "";
        return $"{source}: {mismatches.Count} {(mismatches.Count == 1 ? "tensor differs" : "tensors differ")} from what the class was generated for; "
            + "take the snapshot again if the new file is right."
            + string.Concat(lines) + more;
    }
}
