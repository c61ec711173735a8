using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>How a tensor of a checkpoint differs from what a class expects.</summary>
public enum MismatchKind
{
    /// <summary>The class has the tensor, the checkpoint does not.</summary>
    Missing,

    /// <summary>The checkpoint has the tensor, the class does not.</summary>
    Unexpected,

    /// <summary>Both have the tensor, with different dtypes or shapes.</summary>
    Different,

    /// <summary>Both have the tensor, but its bytes differ from those of the snapshot.</summary>
    Digest,
}

/// <summary>One mismatch between a checkpoint and what a class expects.</summary>
/// <param name="Kind">The kind of mismatch.</param>
/// <param name="Name">The tensor's name.</param>
/// <param name="Expected">Dtype and shape in the manifest, as in <c>BF16 [4096, 4096]</c>, or the digest; null if the tensor is unexpected.</param>
/// <param name="Found">Dtype and shape in the checkpoint, or the digest; null if the tensor is missing.</param>
/// <param name="NearName">A similar name on the other side, which was probably intended; null if there is none.</param>
public sealed record WeightMismatch(MismatchKind Kind, string Name, string? Expected, string? Found, string? NearName)
{
    /// <summary>The mismatch in one line.</summary>
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
