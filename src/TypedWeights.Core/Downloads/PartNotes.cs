namespace TypedWeights.Downloads;

/// <summary>What a journal says.</summary>
/// <param name="Identity">Which file the parts belong to; null where there is no journal that this version understands.</param>
/// <param name="Parts">The parts, in the order in which they were noted down.</param>
/// <param name="Length">The bytes of the lines that were understood, from the start of the journal.</param>
internal sealed record PartNotes(SourceIdentity? Identity, IReadOnlyList<FinishedPart> Parts, long Length)
{
    /// <summary>No journal.</summary>
    public static PartNotes None { get; } = new(null, [], 0);
}
