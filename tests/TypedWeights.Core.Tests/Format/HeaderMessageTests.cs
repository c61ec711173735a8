using System.Text;

namespace TypedWeights.Tests.Format;

public sealed class HeaderMessageTests
{
    public static TheoryData<string, string, string, string> Cases => new()
    {
        // The header, '^' before the byte the position must name; the kind; two things the message must say.
        {
            """{"q.weight":{"dtype":^"F33","shape":[1],"data_offsets":[0,4]}}""",
            "InvalidHeaderDeserialization", "\"q.weight\"", "\"F33\" is not a dtype"
        },
        {
            """{"q.weight":{"dtype":"F32","shape":^{},"data_offsets":[0,4]}}""",
            "InvalidHeaderDeserialization", "\"q.weight\"", "expected an array, found an object"
        },
        {
            """{"q.weight":{"dtype":"F32","shape":[^-1],"data_offsets":[0,4]}}""",
            "InvalidHeaderDeserialization", "whole number", "found -1"
        },
        { """{"q.weight":^{"dtype":"F32","data_offsets":[0,4]}}""", "InvalidHeaderDeserialization", "\"q.weight\"", "has no \"shape\"" },
        {
            """{"q.weight":{"dtype":"F32","shape":[1],"data_offsets":^[0,4,8]}}""",
            "InvalidHeaderDeserialization", "\"q.weight\"", "two numbers"
        },
        {
            """{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"a":^{"dtype":"U8","shape":[],"data_offsets":[0,1]}}""",
            "InvalidHeaderDeserialization", "it lists \"a\"", "twice"
        },
        { """{"__metadata__":{"k":"v","n":^3}}""", "InvalidHeaderDeserialization", "\"n\"", "found a number" },
        { """{"__metadata__":{"k":"v","k":^"w"}}""", "InvalidHeaderDeserialization", "the key \"k\"", "twice" },
        { """{"a":^{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", "InvalidOffset", "\"a\" starts at 1", "a gap of 1 bytes" },
        {
            """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":^{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""",
            "InvalidOffset", "\"b\" starts at 1", "overlap"
        },
        {
            """{"a":^{"dtype":"F32","shape":[2,3],"data_offsets":[0,20]}}""",
            "TensorInvalidInfo", "F32 [2, 3], which needs 24 bytes", "0 to 20 span 20"
        },
        { """{"a":^{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}""", "MisalignedSlice", "F4 [3], 12 bits", "whole bytes" },
        {
            """{"a":^{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,1]}}""",
            "ValidationOverflow", "[4294967296, 4294967296]", "64 bits"
        },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_header_error_names_the_tensor_and_the_byte_of_the_file(string marked, string kind, string says, string andSays)
    {
        int position = marked.IndexOf('^', StringComparison.Ordinal);
        SafeTensorsFormatException error = await Headers.RefusedAsync(Headers.File(marked.Remove(position, 1), 64));

        Assert.Equal(kind, error.Kind.ToString());
        Assert.Equal(8 + position, error.Position);
        Assert.StartsWith("bytes: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Contains(andSays, error.Message, StringComparison.Ordinal);
        Assert.EndsWith($"({kind} at byte {8 + position})", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_byte_that_is_not_UTF8_is_reported_with_its_position()
    {
        byte[] header = Encoding.UTF8.GetBytes("""{"né":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""");
        header[4] = 0xFF;
        SafeTensorsFormatException error = await Headers.RefusedAsync(Headers.File(header, 1));
        Assert.Equal((SafeTensorsErrorKind.InvalidHeader, 8L + 3), (error.Kind, error.Position));
        Assert.Contains("0xC3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_was_cut_short_is_reported_with_the_number_of_missing_bytes()
    {
        byte[] whole = TestFile.Bytes([TestFile.F32("a", [4], 1, 2, 3, 4)]);
        SafeTensorsFormatException inData = await Headers.RefusedAsync(whole[..^5]);
        Assert.Equal((SafeTensorsErrorKind.MetadataIncompleteBuffer, whole.Length - 5L), (inData.Kind, inData.Position));
        string says = $"end at byte {whole.Length}, but the file has {whole.Length - 5} bytes: 5 are missing";
        Assert.Contains(says, inData.Message, StringComparison.Ordinal);
        Assert.Contains("cut short", inData.Message, StringComparison.Ordinal);

        SafeTensorsFormatException inHeader = await Headers.RefusedAsync(whole[..20]);
        Assert.Equal((SafeTensorsErrorKind.InvalidHeaderLength, 0L), (inHeader.Kind, inHeader.Position));
        Assert.Contains("cut short inside the header", inHeader.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_number_of_bytes_after_the_last_tensor_is_reported()
    {
        byte[] whole = TestFile.Bytes([TestFile.F32("a", [1], 1)]);
        SafeTensorsFormatException error = await Headers.RefusedAsync([.. whole, 0, 0, 0]);
        Assert.Equal((SafeTensorsErrorKind.MetadataIncompleteBuffer, (long)whole.Length), (error.Kind, error.Position));
        Assert.Contains("3 follow the last tensor", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tensor_name_with_control_characters_is_escaped_and_shortened_in_the_message()
    {
        string name = "\\u001b[2J\\u202eevil\\n" + new string('x', 70_000);
        SafeTensorsFormatException error = await Headers.RefusedAsync(
            Headers.File($$$"""{"{{{name}}}":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}""", 1));
        Assert.Equal(SafeTensorsErrorKind.TensorInvalidInfo, error.Kind);
        Assert.Contains("\\u{1B}[2J\\u{202E}evil\\u{A}", error.Message, StringComparison.Ordinal);
        Assert.Contains("(70,010 characters)", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 1, 1000);
        Assert.DoesNotContain(error.Message, char.IsControl);
    }

    [Fact]
    public async Task A_shape_of_a_thousand_dimensions_is_shortened_in_the_message()
    {
        string shape = string.Join(",", Enumerable.Repeat("1", 1000));
        SafeTensorsFormatException error = await Headers.RefusedAsync(
            Headers.File($$$"""{"a":{"dtype":"U8","shape":[{{{shape}}}],"data_offsets":[0,2]}}""", 2));
        Assert.Contains("of rank 1,000", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 1, 400);
    }

    [Fact]
    public void A_header_longer_than_its_file_is_not_parsed()
    {
        Assert.Throws<ArgumentOutOfRangeException>(static () => SafeTensorsHeader.Parse("{}"u8, 9, "f"));
        Assert.Equal(0, SafeTensorsHeader.Parse("{}"u8, 10, "f").DataLength);
    }
}
