using System.Runtime.InteropServices;

namespace TypedWeights.Transfer.Planning;

/// <summary>Bytes of a file that belong together, and where they go.</summary>
/// <param name="File">An index into the plan's files.</param>
/// <param name="Offset">The position of the first byte in the file.</param>
/// <param name="Length">The number of bytes, at least 1.</param>
/// <param name="Target">An index into the plan's tensors.</param>
/// <param name="TargetOffset">Where the first byte goes, counted from the target's own first byte.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct WantedBytes(int File, long Offset, long Length, int Target, long TargetOffset)
{
    public long End => Offset + Length;

    /// <summary>Whether nothing before it is read along with it: it is out of the file's order, and what is between is somebody else's.</summary>
    public bool BeginsAnew { get; init; }
}
