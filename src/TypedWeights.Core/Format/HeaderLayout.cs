using System.Runtime.InteropServices;
using TypedWeights.Errors;

namespace TypedWeights.Format;

/// <summary>
/// The last two steps of the reference's checks: each tensor begins where the one before it ends and is as long as its dtype and shape
/// say, and the last one ends where the file ends. Nothing may be allocated for tensors before that is known: until then a file of
/// seventy bytes can claim a tensor of a terabyte.
/// </summary>
internal static class HeaderLayout
{
    /// <summary>Checks the ranges of the tensors, and sorts the tensors by their data.</summary>
    /// <param name="header">The entries; sorted in place.</param>
    /// <param name="headerLength">The header's length in bytes.</param>
    /// <param name="fileLength">The file's length in bytes.</param>
    /// <param name="file">The file as it may be shown.</param>
    /// <exception cref="SafeTensorsFormatException">The tensors do not fill the file one after another.</exception>
    public static void Check(RawHeader header, int headerLength, long fileLength, string file)
    {
        Span<TensorInfo> tensors = CollectionsMarshal.AsSpan(header.Tensors);
        tensors.Sort(CollectionsMarshal.AsSpan(header.Positions), Compare);
        ulong end = 0;
        for (int i = 0; i < tensors.Length; i++)
        {
            if (Explain(tensors[i], end) is var (kind, message))
            {
                throw new SafeTensorsFormatException(
                    kind, file, $"the tensor {Printable.Name(tensors[i].Name)} {message}", HeaderPrefix.Size + header.Positions[i]);
            }

            end = End(tensors[i]);
        }

        if (end != (ulong)(fileLength - HeaderPrefix.Size - headerLength))
        {
            throw HeaderErrors.Incomplete(end, headerLength, fileLength, file);
        }
    }

    private static ulong Begin(TensorInfo tensor) => (ulong)tensor.Begin;

    private static ulong End(TensorInfo tensor) => (ulong)tensor.End;

    // What is wrong with a tensor that should begin where the tensors before it end; null if nothing is.
    private static (SafeTensorsErrorKind Kind, string Message)? Explain(TensorInfo tensor, ulong end)
    {
        if (Begin(tensor) != end || End(tensor) < end)
        {
            return (SafeTensorsErrorKind.InvalidOffset, DescribeOffset(tensor, end));
        }

        if (!tensor.DType.TryGetBits(tensor.Shape, out ulong bits))
        {
            return (SafeTensorsErrorKind.ValidationOverflow, $"is {Describe(tensor)}, whose number of elements or bits does not fit in 64 bits.");
        }

        if (bits % 8 != 0)
        {
            return (SafeTensorsErrorKind.MisalignedSlice, $"is {Describe(tensor)}, {bits} bits, which do not fill whole bytes.");
        }

        ulong length = End(tensor) - Begin(tensor);
        return length == bits / 8
            ? null
            : (SafeTensorsErrorKind.TensorInvalidInfo,
                $"is {Describe(tensor)}, which needs {bits / 8} bytes, but its data_offsets {Begin(tensor)} to {End(tensor)} span {length}.");
    }

    private static string DescribeOffset(TensorInfo tensor, ulong end)
    {
        const string Rule = "Tensors must follow one another without gaps and must not overlap; write the file again.";
        string begins = $"starts at {Begin(tensor)}, but the tensors before it end at {end}";
        return Begin(tensor) > end ? $"{begins}: a gap of {Begin(tensor) - end} bytes. {Rule}"
            : Begin(tensor) < end ? $"{begins}: they overlap. {Rule}"
            : $"ends at {End(tensor)}, before its start at {Begin(tensor)}. {Rule}";
    }

    private static string Describe(TensorInfo tensor) => $"{tensor.DType.Name()} {tensor.Shape.ToShortString()}";

    // By begin alone, an empty tensor could come after the tensor that shares its begin. Empty tensors at one offset are sorted by name, so
    // that the order does not depend on the order of the JSON.
    private static int Compare(TensorInfo a, TensorInfo b)
    {
        int byBegin = Begin(a).CompareTo(Begin(b));
        int byRange = byBegin != 0 ? byBegin : End(a).CompareTo(End(b));
        return byRange != 0 ? byRange : string.CompareOrdinal(a.Name, b.Name);
    }
}
