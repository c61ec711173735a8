using System.Text;
using TypedWeights.Checkpoints;
using TypedWeights.Format;

namespace TypedWeights.Tests.Format;

public sealed class HostileHeaderTests
{
    private const int Size = 12_000_000;

    // Memory a reader may use for each byte of a header, whatever is in it: an empty tensor with a name of four letters takes some
    // sixty bytes of text and two hundred of objects, and lists double.
    private const int BytesForEachByte = 12;

    public static TheoryData<string> Kinds =>
        ["dimensions", "names", "metadata", "escapes", "ignored list", "ignored digits", "one name", "braces"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_huge_hostile_header_takes_memory_in_proportion_to_its_length_and_throws_only_format_errors(string kind)
    {
        byte[] header = Encoding.UTF8.GetBytes(Make(kind));
        Assert.InRange(header.Length, Size, Size + 200);
        long before = GC.GetAllocatedBytesForCurrentThread();
        SafeTensorsFormatException? error = null;
        try
        {
            _ = SafeTensorsHeader.Parse(header, 8 + header.Length, "f");
        }
        catch (SafeTensorsFormatException e)
        {
            error = e;
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(allocated, 0, (long)header.Length * BytesForEachByte);
        Assert.Equal(kind is "ignored digits" or "braces", error is not null);
        Assert.InRange(error?.Message.Length ?? 0, 0, 3000);
    }

    [Fact]
    public void A_header_length_beyond_the_file_is_refused_without_allocating_that_length()
    {
        byte[] bytes = Headers.File("{}");
        BitConverter.TryWriteBytes(bytes, 100_000_000L);
        long before = GC.GetAllocatedBytesForCurrentThread();

        // These bytes come at once, so all of it happens on this thread.
        Task<SafeTensorsHeader> reading =
            new BytesSource(bytes).ReadHeaderAsync(TestContext.Current.CancellationToken).AsTask();

        Assert.True(reading.IsFaulted);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        var error = Assert.IsType<SafeTensorsFormatException>(reading.Exception.InnerException);
        Assert.Equal(SafeTensorsErrorKind.InvalidHeaderLength, error.Kind);
    }

    [Fact]
    public void A_header_of_the_greatest_length_is_read()
    {
        byte[] header = new byte[100_000_000];
        header.AsSpan().Fill((byte)' ');
        "{}"u8.CopyTo(header);
        Assert.Equal(100_000_000, SafeTensorsHeader.Parse(header, 8 + header.Length, "f").HeaderLength);
    }

    // As long as one can be, it takes a second: who cancels a load does not wait for it.
    [Theory]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{}}""")]
    [InlineData("""{"__metadata__":{"a":"b","a":"c"}}""")]
    public void Parsing_a_header_can_be_cancelled_between_two_entries(string text)
    {
        byte[] header = Encoding.UTF8.GetBytes(text);
        Assert.Throws<OperationCanceledException>(() => HeaderReader.Read(header, new CancellationToken(canceled: true)));
    }

    private static string Make(string kind)
    {
        const string Fields = "\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
        const string Entry = "{" + Fields;
        return kind switch
        {
            "dimensions" => Fill("{\"a\":{\"dtype\":\"U8\",\"shape\":[0", static _ => ",1", "],\"data_offsets\":[0,0]}}"),
            "names" => Fill("{\"a\":" + Entry, static i => $",\"{i:x5}\":" + Entry, "}"),
            "metadata" => Fill("{\"__metadata__\":{\"a\":\"\"", static i => $",\"{i:x6}\":\"\"", "}}"),
            "escapes" => Fill("{\"", static _ => "\\u0041", "\":" + Entry + "}"),
            "ignored list" => Fill("{\"a\":{\"x\":[[]", static _ => ",{}", "]," + Fields + "}"),
            "ignored digits" => Fill("{\"a\":{\"x\":1", static _ => "0", "," + Fields + "}"),
            "one name" => Fill("{\"", static _ => "x", "\":" + Entry + "}"),
            _ => Fill("{\"a\":", static _ => "{", ""),
        };
    }

    private static string Fill(string start, Func<int, string> item, string end)
    {
        var text = new StringBuilder(start, Size + 200);
        for (int i = 0; text.Length < Size; i++)
        {
            text.Append(item(i));
        }

        return text.Append(end).ToString();
    }
}
