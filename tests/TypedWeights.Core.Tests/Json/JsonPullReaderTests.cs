using System.Text;
using System.Text.Json;
using TypedWeights.Json;

namespace TypedWeights.Tests.Json;

public sealed class JsonPullReaderTests
{
    public static TheoryData<string> Right =>
    [
        "{}", "[]", " \t\r\n{ \"a\" : [ 1 , 2 ] } \n", "null", "true", "false", "\"\"", "0", "-0", "1.5e-3", "1E+9", "-12.25", "1e-400",
        "[[],{},[{}]]", "\"\\u0041\\n\\/\\\\\\\"\\b\\f\\r\\t\"", "\"\\ud83d\\ude00\"", "\"é\u2028\u007f😀\"", "{\"a\":1,\"a\":2}",
        "18446744073709551616", "[1,\"a\",null,true,{\"b\":[]}]", "1e308", "{\"\":{\"\":[]}}",
    ];

    public static TheoryData<string, int> Wrong => new()
    {
        { "", 0 }, { "  ", 2 }, { "{", 1 }, { "[", 1 }, { "{]", 1 }, { "[}", 1 }, { "{\"a\"}", 4 }, { "{\"a\":}", 5 }, { "{\"a\":1,}", 7 },
        { "[1,]", 3 },
        { "[,1]", 1 }, { "[1 2]", 3 }, { "{\"a\":1 \"b\":2}", 7 }, { "{a:1}", 1 }, { "{'a':1}", 1 }, { "{,}", 1 }, { "[1]]", 3 },
        { "{}{}", 2 }, { "{} x", 3 },
        { "nul", 0 }, { "nullx", 4 }, { "True", 0 }, { "tru", 0 }, { "NaN", 0 }, { "-Infinity", 0 }, { "01", 0 }, { "-01", 0 },
        { "+1", 0 }, { ".5", 0 }, { "5.", 0 },
        { "1e", 0 }, { "1e+", 0 }, { "-", 0 }, { "0x10", 1 }, { "1e309", 0 }, { "-1e309", 0 }, { "\"a", 0 }, { "\"a\\", 2 },
        { "\"\\x\"", 1 }, { "\"\\u12\"", 1 }, { "\"\\u12g4\"", 1 },
        { "\"a\nb\"", 2 }, { "\"a\0b\"", 2 }, { "\"\\n\tb\"", 3 }, { "\"\\ud83d\"", 1 }, { "\"\\ud83dx\"", 1 }, { "\"\\ud83d\\n\"", 1 },
        { "\"\\ude00\"", 1 }, { "\"\\ud83d\\ud83d\"", 1 },
        { "// c\n{}", 0 }, { "{}/**/", 2 }, { "\uFEFF{}", 0 }, { "{}\0", 2 }, { "{}\f", 2 }, { "\u00a0{}", 0 },
    };

    [Theory]
    [MemberData(nameof(Right))]
    public void Valid_JSON_is_read_to_its_end(string text) => Assert.Null(Refusal(text));

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Invalid_JSON_is_refused_with_the_position_of_the_error(string text, int position) => Assert.Equal(position, Refusal(text)?.Position);

    [Fact]
    public void JSON_may_be_nested_at_most_127_levels_deep()
    {
        Assert.Null(Refusal(new string('[', 127) + new string(']', 127)));
        Assert.Equal(127, Refusal(new string('[', 128) + new string(']', 128))!.Position);
        string objects = string.Concat(Enumerable.Repeat("{\"a\":", 127)) + "0" + new string('}', 127);
        Assert.Null(Refusal(objects));
        Assert.Contains("127", Refusal("{\"a\":" + objects + "}")!.Message, StringComparison.Ordinal);
        Assert.NotNull(Refusal(new string('[', 1_000_000)));

        // Levels that have been closed do not count.
        Assert.Null(Refusal("[" + string.Join(',', Enumerable.Repeat("[[]]", 500)) + "]"));
    }

    [Fact]
    public void A_number_of_any_length_is_valid_if_a_double_can_hold_its_value()
    {
        Assert.Null(Refusal(new string('9', 308)));
        Assert.NotNull(Refusal(new string('9', 400)));
        Assert.Null(Refusal("0." + new string('0', 400) + "1"));
        Assert.Null(Refusal("[1" + new string('0', 400) + "e-400]"));
    }

    [Theory]
    [InlineData("0", 0UL)]
    [InlineData("18446744073709551615", ulong.MaxValue)]
    [InlineData(" 42 ", 42UL)]
    public void A_whole_number_is_read_exactly(string text, ulong value)
    {
        var json = new JsonPullReader(Encoding.UTF8.GetBytes(text));
        Assert.Equal(value, json.ReadUInt64());
        json.End();
    }

    [Theory]
    [InlineData("-0")]
    [InlineData("-1")]
    [InlineData("4.0")]
    [InlineData("4e0")]
    [InlineData("04")]
    [InlineData("\"4\"")]
    [InlineData("null")]
    [InlineData("18446744073709551616")]
    [InlineData("99999999999999999999999")]
    public void A_value_that_is_not_a_whole_number_of_64_bits_is_refused(string text) =>
        Assert.Equal(0, Assert.Throws<JsonReadException>(() => new JsonPullReader(Encoding.UTF8.GetBytes(text)).ReadUInt64()).Position);

    [Fact]
    public void Members_and_elements_are_read_in_order_with_their_values()
    {
        var json = new JsonPullReader("""{"s":"x\u0041\ud83d\ude00","n":null,"b":[1,false],"o":{"e":{}},"num":1.50}"""u8);
        json.BeginObject();
        Assert.True(json.NextProperty(out string name));
        Assert.Equal(("s", "xA😀"), (name, json.ReadString()));
        Assert.True(json.NextProperty(out name));
        Assert.True(json.TryReadNull());
        Assert.True(json.NextProperty(out name));
        Assert.False(json.TryReadNull());
        json.BeginArray();
        Assert.True(json.NextElement() && json.ReadUInt64() == 1);
        Assert.True(json.NextElement() && !json.TryReadNull());
        json.Skip();
        Assert.False(json.NextElement());
        Assert.True(json.NextProperty(out name));
        Assert.Equal(1, json.CountMembers());
        json.Skip();
        Assert.True(json.NextProperty(out name));
        Assert.Equal("1.50", json.ReadNumberText());
        Assert.False(json.NextProperty(out name));
        json.End();
    }

    [Theory]
    [InlineData("[1]", "an object", "an array")]
    [InlineData("3", "an object", "a number")]
    [InlineData("\"{}\"", "an object", "a string")]
    [InlineData("null", "an object", "null")]
    [InlineData("true", "an object", "a boolean")]
    [InlineData("\uFEFF{}", "an object", "byte order mark")]
    [InlineData("", "an object", "the end of the text")]
    [InlineData("\0", "an object", "0x00")]
    [InlineData("<", "an object", "'<'")]
    public void A_JSON_error_says_what_was_expected_and_what_was_found(string text, string expected, string found)
    {
        var error = Assert.Throws<JsonReadException>(() => new JsonPullReader(Encoding.UTF8.GetBytes(text)).BeginObject());
        Assert.Contains($"expected {expected}", error.Message, StringComparison.Ordinal);
        Assert.Contains(found, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_text_gets_the_same_verdict_as_from_an_independent_reader()
    {
        const string Alphabet = "{}[]\",:\\u0189.eE-+truefalsn d83\t\n'/";
        string[] seeds =
            ["""{"a":[1,2.5e3,"x\u00e9"],"b":{"c":null}}""", """[true,false,-0.1,{"k":"\ud83d\ude00"}]""", "\"\\n\\t\"", "[[[]],{}]"];
        var random = new Random(20);
        int right = 0;
        for (int i = 0; i < 20_000; i++)
        {
            var text = new StringBuilder(seeds[random.Next(seeds.Length)]);
            for (int changes = random.Next(3); changes >= 0; changes--)
            {
                int at = random.Next(text.Length);
                switch (random.Next(3))
                {
                    case 0:
                        text[at] = Alphabet[random.Next(Alphabet.Length)];
                        break;
                    case 1:
                        text.Insert(at, Alphabet[random.Next(Alphabet.Length)]);
                        break;
                    default:
                        text.Remove(at, text.Length > 1 ? 1 : 0);
                        break;
                }
            }

            bool expected = SystemTextJsonAccepts(text.ToString());
            Assert.True(expected == (Refusal(text.ToString()) is null), $"{text} is {(expected ? "right" : "wrong")}");
            right += expected ? 1 : 0;
        }

        Assert.InRange(right, 2000, 18_000);
    }

    // System.Text.Json passes half surrogates and numbers beyond a double; both are asked for here.
    private static bool SystemTextJsonAccepts(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 127 });
            return IsRight(document.RootElement);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool IsRight(JsonElement element)
    {
        try
        {
            return element.ValueKind switch
            {
                JsonValueKind.Object => element.EnumerateObject().All(static p => p.Name.Length >= 0 && IsRight(p.Value)),
                JsonValueKind.Array => element.EnumerateArray().All(IsRight),
                JsonValueKind.String => element.GetString()!.Length >= 0,
                JsonValueKind.Number => double.IsFinite(element.GetDouble()),
                _ => true,
            };
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static JsonReadException? Refusal(string text)
    {
        try
        {
            var json = new JsonPullReader(Encoding.UTF8.GetBytes(text));
            json.Skip();
            json.End();
            return null;
        }
        catch (JsonReadException e)
        {
            return e;
        }
    }
}
