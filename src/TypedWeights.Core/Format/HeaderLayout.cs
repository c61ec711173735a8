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
    /// <param name="tensors">The entries; sorted in place.</param>
    /// <param name="headerLength">The header's length in bytes.</param>
    /// <param name="fileLength">The file's.</param>
    /// <param name="file">The file as it may be shown.</param>
    /// <returns>The tensors in the order of their data.</returns>
    public static TensorInfo[] Check(List<RawTensor> tensors, int headerLength, long fileLength, string file)
    {
        Sort(tensors);
        Span<RawTensor> sorted = CollectionsMarshal.AsSpan(tensors);
        ulong end = 0;
        foreach (ref readonly RawTensor tensor in sorted)
        {
            if (tensor.Begin != end || tensor.End < tensor.Begin)
            {
                throw Error(SafeTensorsErrorKind.InvalidOffset, tensor, file, DescribeOffset(tensor, end));
            }

            CheckSize(tensor, file);
            end = tensor.End;
        }

        ulong dataLength = (ulong)(fileLength - HeaderPrefix.Size - headerLength);
        if (end != dataLength)
        {
            throw HeaderErrors.Incomplete(end, headerLength, fileLength, file);
        }

        var checkedTensors = new TensorInfo[sorted.Length];
        for (int i = 0; i < sorted.Length; i++)
        {
            checkedTensors[i] = sorted[i].Info;
        }

        return checkedTensors;
    }

    // Most writers write the entries in the order of their data.
    private static void Sort(List<RawTensor> tensors)
    {
        Span<RawTensor> entries = CollectionsMarshal.AsSpan(tensors);
        for (int i = 1; i < entries.Length; i++)
        {
            if (Compare(entries[i - 1], entries[i]) > 0)
            {
                entries.Sort(Compare);
                return;
            }
        }
    }

    private static void CheckSize(in RawTensor tensor, string file)
    {
        ulong bitSize = (ulong)tensor.Info.DType.BitSize();
        if (!tensor.Info.Shape.TryGetElementCount(out ulong count) || count > ulong.MaxValue / bitSize)
        {
            throw Error(
                SafeTensorsErrorKind.ValidationOverflow,
                tensor,
                file,
                $"is {Describe(tensor)}, whose number of elements or bits leaves 64 bits.");
        }

        ulong bits = count * bitSize;
        if (bits % 8 != 0)
        {
            throw Error(
                SafeTensorsErrorKind.MisalignedSlice, tensor, file, $"is {Describe(tensor)}, {bits} bits, which do not fill whole bytes.");
        }

        ulong length = tensor.End - tensor.Begin;
        if (length != bits / 8)
        {
            throw Error(
                SafeTensorsErrorKind.TensorInvalidInfo,
                tensor,
                file,
                $"is {Describe(tensor)}, which takes {bits / 8} bytes, but its data_offsets {tensor.Begin} to {tensor.End} are {length}.");
        }
    }

    private static string DescribeOffset(in RawTensor tensor, ulong end)
    {
        const string Rule = "Tensors must follow one another without holes and share no bytes; write the file again.";
        if (tensor.Begin > end)
        {
            return $"begins at {tensor.Begin}, but the tensors before it end at {end}: a hole of {tensor.Begin - end} bytes. {Rule}";
        }

        return tensor.Begin < end
            ? $"begins at {tensor.Begin}, but the tensors before it end at {end}: they overlap. {Rule}"
            : $"ends at {tensor.End}, before its begin at {tensor.Begin}. {Rule}";
    }

    private static string Describe(in RawTensor tensor) => $"{tensor.Info.DType.Name()} {Printable.Shape(tensor.Info.Shape)}";

    private static SafeTensorsFormatException Error(SafeTensorsErrorKind kind, in RawTensor tensor, string file, string message) =>
        new(kind, file, $"the tensor {Printable.Name(tensor.Info.Name)} {message}", HeaderPrefix.Size + tensor.Position);

    // By begin alone, an empty tensor could land behind the one that shares its begin. Empty tensors at one place go by name, so that
    // the order does not depend on that of the JSON.
    private static int Compare(RawTensor a, RawTensor b)
    {
        int byBegin = a.Begin.CompareTo(b.Begin);
        int byRange = byBegin != 0 ? byBegin : a.End.CompareTo(b.End);
        return byRange != 0 ? byRange : string.CompareOrdinal(a.Info.Name, b.Info.Name);
    }
}
