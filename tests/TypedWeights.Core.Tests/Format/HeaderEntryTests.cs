using System.Text;
using TypedWeights.Format;
using TypedWeights.Json;

namespace TypedWeights.Core.Tests.Format;

/// <summary>Entries as writers write them, with the numbers, dtypes and brackets that a hand-written reader may get wrong.</summary>
public class HeaderEntryTests
{
    public static TheoryData<string> Entries { get; } =
    [
        """{"dtype":"BF16","shape":[4352,1728],"data_offsets":[0,15040512]}""",
        """{"dtype":"F8_E4M3FNUZ","shape":[1,2,3,4,5,6,7,8],"data_offsets":[40320,80640]}""",
        """{"dtype":"U8","shape":[1,2,3,4,5,6,7,8,9],"data_offsets":[0,362880]}""",
        """{"dtype":"F32","shape":[],"data_offsets":[0,4]}""",
        """{"dtype":"F32","shape":[0],"data_offsets":[0,0]}""",
        """{"dtype":"F32","shape":[9999999999999999999],"data_offsets":[0,9999999999999999999]}""",
        """{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615]}""",
        """{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}""",
        """{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}""",
        """{"dtype":"F32","shape":[01],"data_offsets":[0,4]}""",
        """{"dtype":"F32","shape":[1],"data_offsets":[00,4]}""",
        """{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}""",
        """{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}""",
        """{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}""",
        """{"dtype":"F32","shape":[1,],"data_offsets":[0,4]}""",
        """{"dtype":"F32","shape":[,1],"data_offsets":[0,4]}""",
        """{"dtype":"F32","shape":[1],"data_offsets":[0]}""",
        """{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}""",
        """{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":[1]}""",
        """{"dtype":"F32","shape":[1],"data_offsets":[0,4],"dtype":"F32"}""",
        """{"dtype":"F32","shape":[1],"data_offsets":[0,4],}""",
        """{"dtype":"F33","shape":[1],"data_offsets":[0,4]}""",
        """{"dtype":"f32","shape":[1],"data_offsets":[0,4]}""",
        """{"dtype":"\u004632","shape":[1],"data_offsets":[0,4]}""",
        """{"dtype":"","shape":[1],"data_offsets":[0,4]}""",
        """{"dtype":"F32""",
        """{"dtype":"F32","shape":[1],"data_offsets":[0,4]""",
        """{"dtype":"F32","shape":[1],"data_offsets":[0,4""",
        """{"shape":[1],"dtype":"F32","data_offsets":[0,4]}""",
    ];

    [Theory]
    [MemberData(nameof(Entries))]
    public void A_header_entry_reads_the_same_with_and_without_white_space(string entry)
    {
        string spaced = entry.Replace("{", "{ ", StringComparison.Ordinal)
            .Replace("[", "[\t", StringComparison.Ordinal)
            .Replace(":", "\r\n:", StringComparison.Ordinal);
        Assert.Equal(Read(spaced), Read(entry));
    }

    [Fact]
    public void The_dtype_of_one_header_entry_is_not_carried_over_to_the_next()
    {
        const string Text =
            """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"""
                + ""","b":{"dtype":"F16","shape":[2],"data_offsets":[4,8]},"c":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""";
        List<TensorInfo> tensors = HeaderReader.Read(Encoding.UTF8.GetBytes(Text), TestContext.Current.CancellationToken).Tensors;
        Assert.Equal([DType.F32, DType.F16, DType.F32], tensors.Select(tensor => tensor.DType));
    }

    // What is read, or what is wrong; positions apart, which the white space moves.
    private static string Read(string entry)
    {
        string text = $$"""{"before":{"dtype":"I8","shape":[3],"data_offsets":[0,3]},"x":{{entry}}}""";
        try
        {
            return string.Join(
                "\n",
                HeaderReader.Read(Encoding.UTF8.GetBytes(text), TestContext.Current.CancellationToken).Tensors
                    .Select(tensor => $"{tensor.Name} {tensor.DType} {tensor.Shape} {tensor.Begin} {tensor.End}"));
        }
        catch (JsonReadException e)
        {
            return e.Message;
        }
    }
}
