using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>How a tensor of a checkpoint departs from what a class expects.</summary>
public enum MismatchKind
{
    /// <summary>The class has it, the checkpoint does not.</summary>
    Missing,

    /// <summary>The checkpoint has it, the class does not.</summary>
    Unexpected,

    /// <summary>Both have it, with another dtype or shape.</summary>
    Different,

    /// <summary>Both have it, and its bytes are not those of the snapshot.</summary>
    Digest,
}

/// <summary>One departure of a checkpoint from what a class expects.</summary>
/// <param name="Kind">Which of these.</param>
/// <param name="Name">The tensor's name.</param>
/// <param name="Expected">Dtype and shape in the manifest, as in <c>BF16 [4096, 4096]</c>, or the digest; null where it is unexpected.</param>
/// <param name="Found">Dtype and shape in the checkpoint, or the digest; null where it is missing.</param>
/// <param name="NearName">A name on the other side that was probably meant, if there is one.</param>
public sealed record WeightMismatch(MismatchKind Kind, string Name, string? Expected, string? Found, string? NearName)
{
    /// <summary>The departure in one line.</summary>
    public override string ToString()
    {
        string near = NearName is null ? "" : $" (did you mean {Printable.Name(NearName)}?)";
        string name = Printable.Name(Name);
        return Kind switch
        {
            MismatchKind.Missing => $"missing {name}: expected {Expected}{near}",
            MismatchKind.Unexpected => $"unexpected {name}: found {Found}",
            MismatchKind.Digest => $"other bytes in {name}: expected {Expected}, found {Found}",
            _ => $"different {name}: expected {Expected}, found {Found}",
        };
    }
}
