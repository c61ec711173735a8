using System.Text;
using TypedWeights.Format;

namespace TypedWeights.Tests.Checkpoints;

public sealed class ShardIndexTests
{
    public static TheoryData<string, string> Unsafe => new()
    {
        { "", "empty" }, { "/etc/passwd", "relative path" }, { "../x.safetensors", "outside the folder" },
        { "a/../../x", "outside the folder" },
        { "..", "outside the folder" }, { "a/..", "outside the folder" }, { ".", "relative path" }, { "./x", "relative path" },
        { "a//b", "relative path" },
        { "a/", "relative path" }, { "//host/share", "relative path" }, { "..\\x", "'\\'" }, { "\\\\host\\x", "'\\'" }, { "C:x", "':'" },
        { "C:\\x", "':'" },
        { "https://h/x", "':'" }, { "file:///x", "':'" }, { "x:stream", "':'" }, { "%2e%2e/x", "'%'" }, { "x?y=1", "'?'" },
        { "x#y", "'#'" },
        { "a\0b", "control" }, { "a\nb", "control" }, { new string('x', 1025), "longer" },
    };

    public static TheoryData<string, int, string> Wrong => new()
    {
        { "", 0, "end of the text" },
        { "[]", 0, "expected an object" },
        { "{}", 0, "no \"weight_map\"" },
        { """{"weight_map":null}""", 14, "expected an object, found null" },
        { """{"weight_map":{"a":1}}""", 19, "the shard that holds \"a\", found a number" },
        { """{"weight_map":{"a":"s","a":"t"}}""", 27, "it lists \"a\" twice, in \"s\" and in \"t\"" },
        { """{"weight_map":{"a":"s","\u0061":"s"}}""", 32, "\"a\" twice" },
        { """{"weight_map":{},"weight_map":{}}""", 30, "the index lists \"weight_map\" twice" },
        { """{"weight_map":{"a":"s",}}""", 23, "comma" },
        { """{"weight_map":{}} x""", 18, "end of the JSON" },
        { "{\n<<<<<<< HEAD\n\"weight_map\":{}}", 2, "merge conflict" },
        { "\uFEFF{\"weight_map\":[]}", 17, "found an array" },
    };

    [Theory]
    [MemberData(nameof(Unsafe))]
    public void A_shard_name_that_could_leave_the_folder_is_refused(string name, string says)
    {
        Assert.Contains(says, ShardName.Refuse(name), StringComparison.Ordinal);
        var map = new Dictionary<string, string> { ["t"] = "ok.safetensors", ["u"] = name };
        string json = System.Text.Json.JsonSerializer.Serialize(new { weight_map = map });
        var error = Assert.Throws<SafeTensorsFormatException>(() => Read(json));
        Assert.Equal(SafeTensorsErrorKind.UnsafeShardName, error.Kind);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(error.Message, char.IsControl);
    }

    [Theory]
    [InlineData("model-00001-of-00002.safetensors")]
    [InlineData("text part.safetensors")]
    [InlineData("sub/dir/x.safetensors")]
    [InlineData("..x")]
    [InlineData("x..y/...z")]
    [InlineData("größe-重み.safetensors")]
    public void A_plain_shard_name_is_accepted(string name) => Assert.Null(ShardName.Refuse(name));

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Text_that_is_not_a_valid_index_is_refused_with_the_position_of_the_error(string text, int position, string says)
    {
        var error = Assert.Throws<SafeTensorsFormatException>(() => Read(text));
        Assert.Equal((SafeTensorsErrorKind.InvalidIndex, (long)position), (error.Kind, error.Position));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_weight_map_keeps_every_name_and_lists_each_shard_once_in_order()
    {
        ShardIndex index = Read(
            """{"later":{"weight_map":[]},"weight_map":{"b":"2","":"1","a":"2"},"metadata":{"total_size":12,"x":null}}""");
        Assert.Equal(["1", "2"], index.Shards);
        Assert.Equal(
            [("", "1"), ("a", "2"), ("b", "2")],
            index.WeightMap.OrderBy(static p => p.Key, StringComparer.Ordinal).Select(static p => (p.Key, p.Value)));
        Assert.Equal("12", index.TotalSize);
        Assert.Null(Read("""{"weight_map":{},"metadata":null}""").TotalSize);
        Assert.Null(Read("""{"weight_map":{},"metadata":[]}""").TotalSize);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused_with_their_position() =>
        Assert.Equal(
            4, Assert.Throws<SafeTensorsFormatException>(static () => ShardIndex.Read([0xEF, 0xBB, 0xBF, 0x7B, 0xFF], "i")).Position);

    private static ShardIndex Read(string text) => ShardIndex.Read(Encoding.UTF8.GetBytes(text), "i");
}
