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
    /// <param name="header">The entries; sorted in place.</param>
    /// <param name="headerLength">The header's length in bytes.</param>
    /// <param name="fileLength">The file's.</param>
    /// <param name="file">The file as it may be shown.</param>
    /// <returns>The tensors in the order of their data.</returns>
    public static IReadOnlyList<TensorInfo> Check(RawHeader header, int headerLength, long fileLength, string file)
    {
        Sort(header);
        Span<TensorInfo> sorted = CollectionsMarshal.AsSpan(header.Tensors);
        ulong end = 0;
        for (int i = 0; i < sorted.Length; i++)
        {
            TensorInfo tensor = sorted[i];
            if (Begin(tensor) != end || End(tensor) < Begin(tensor))
            {
                throw Error(SafeTensorsErrorKind.InvalidOffset, header, i, file, DescribeOffset(tensor, end));
            }

            CheckSize(header, i, file);
            end = End(tensor);
        }

        ulong dataLength = (ulong)(fileLength - HeaderPrefix.Size - headerLength);
        if (end != dataLength)
        {
            throw HeaderErrors.Incomplete(end, headerLength, fileLength, file);
        }

        return header.Tensors;
    }

    private static ulong Begin(TensorInfo tensor) => (ulong)tensor.Begin;

    private static ulong End(TensorInfo tensor) => (ulong)tensor.End;

    // Most writers write the entries in the order of their data.
    private static void Sort(RawHeader header)
    {
        Span<TensorInfo> entries = CollectionsMarshal.AsSpan(header.Tensors);
        for (int i = 1; i < entries.Length; i++)
        {
            if (Compare(entries[i - 1], entries[i]) > 0)
            {
                entries.Sort(CollectionsMarshal.AsSpan(header.Positions), Compare);
                header.Index.Rebuild();
                return;
            }
        }
    }

    private static void CheckSize(RawHeader header, int index, string file)
    {
        TensorInfo tensor = header.Tensors[index];
        ulong bitSize = (ulong)tensor.DType.BitSize();
        if (!tensor.Shape.TryGetElementCount(out ulong count) || count > ulong.MaxValue / bitSize)
        {
            throw Error(
                SafeTensorsErrorKind.ValidationOverflow,
                header,
                index,
                file,
                $"is {Describe(tensor)}, whose number of elements or bits leaves 64 bits.");
        }

        ulong bits = count * bitSize;
        if (bits % 8 != 0)
        {
            throw Error(
                SafeTensorsErrorKind.MisalignedSlice, header, index, file, $"is {Describe(tensor)}, {bits} bits, which do not fill whole bytes.");
        }

        ulong length = End(tensor) - Begin(tensor);
        if (length != bits / 8)
        {
            throw Error(
                SafeTensorsErrorKind.TensorInvalidInfo,
                header,
                index,
                file,
                $"is {Describe(tensor)}, which takes {bits / 8} bytes, but its data_offsets {Begin(tensor)} to {End(tensor)} are {length}.");
        }
    }

    private static string DescribeOffset(TensorInfo tensor, ulong end)
    {
        const string Rule = "Tensors must follow one another without holes and share no bytes; write the file again.";
        if (Begin(tensor) > end)
        {
            return $"begins at {Begin(tensor)}, but the tensors before it end at {end}: a hole of {Begin(tensor) - end} bytes. {Rule}";
        }

        return Begin(tensor) < end
            ? $"begins at {Begin(tensor)}, but the tensors before it end at {end}: they overlap. {Rule}"
            : $"ends at {End(tensor)}, before its begin at {Begin(tensor)}. {Rule}";
    }

    private static string Describe(TensorInfo tensor) => $"{tensor.DType.Name()} {tensor.Shape.ToShortString()}";

    private static SafeTensorsFormatException Error(SafeTensorsErrorKind kind, RawHeader header, int index, string file, string message) =>
        new(kind, file, $"the tensor {Printable.Name(header.Tensors[index].Name)} {message}", HeaderPrefix.Size + header.Positions[index]);

    // By begin alone, an empty tensor could land behind the one that shares its begin. Empty tensors at one place go by name, so that
    // the order does not depend on that of the JSON.
    private static int Compare(TensorInfo a, TensorInfo b)
    {
        int byBegin = Begin(a).CompareTo(Begin(b));
        int byRange = byBegin != 0 ? byBegin : End(a).CompareTo(End(b));
        return byRange != 0 ? byRange : string.CompareOrdinal(a.Name, b.Name);
    }
}
