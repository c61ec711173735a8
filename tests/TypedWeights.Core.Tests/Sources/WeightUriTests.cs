using TypedWeights.Sources;

namespace TypedWeights.Tests.Sources;

public sealed class WeightUriTests
{
    private const string Secret = "hunter2";

    public static TheoryData<string, string, string> Displays => new()
    {
        { "model.safetensors", "file", "model.safetensors" },
        { "weights\\sub\\model.safetensors", "file", "weights/sub/model.safetensors" },
        { "/data/a b/model.safetensors", "file", "/data/a b/model.safetensors" },
        { "C:\\models\\m.safetensors", "file", "C:/models/m.safetensors" },
        { "C://models/m.safetensors", "file", "C://models/m.safetensors" },
        { "model:v1.safetensors", "file", "model:v1.safetensors" },
        { "file:///data/m.safetensors", "file", "file:///data/m.safetensors" },
        { "file:/data/m.safetensors", "file", "file:///data/m.safetensors" },
        { "FILE://localhost/data/a%20b.safetensors", "file", "file://localhost/data/a%20b.safetensors" },
        { "https://Example.COM:443/A/m.safetensors", "https", "https://example.com/A/m.safetensors" },
        { "HTTP://example.com:80/m", "http", "http://example.com/m" },
        { "http://example.com:8080", "http", "http://example.com:8080" },
        { "http://[::1]:5000/m", "http", "http://[::1]:5000/m" },
        { "hf://mistralai/Mistral-7B-v0.1", "hf", "hf://mistralai/Mistral-7B-v0.1" },
        { "hf://gpt2@main", "hf", "hf://gpt2@main" },
        { "s3://my-bucket/m.safetensors?versionId=3/L4kqtJ+x_=", "s3", "s3://my-bucket/m.safetensors?versionId=3/L4kqtJ+x_=" },
        { "gs://b/m?generation=17&alt=media", "gs", "gs://b/m?generation=17" },
        { "gs://b/m#17", "gs", "gs://b/m?generation=17" },
        { "gs://b/m#1/n#part?token=t", "gs", "gs://b/m#1/n#part" },
        { "s3://b/m#17", "s3", "s3://b/m" },
        { "az://a/c/m?versionId=2026-01-31T12:00:00.1234567Z", "az", "az://a/c/m?versionId=2026-01-31T12:00:00.1234567Z" },
        { "az://a/c/m?snapshot=2026-01-31T12%3A00%3A00Z", "az", "az://a/c/m?snapshot=2026-01-31T12%3A00%3A00Z" },
        { "https://h/m?revision=refs/pr/1&download=true&token=t#part", "https", "https://h/m?revision=refs/pr/1&download=true" },
    };

    // Every place in which people and programs put secrets, the right ones and the mistaken ones.
    public static TheoryData<string> Secrets =>
    [
        $"https://user:{Secret}@example.com/m.safetensors",
        $"https://{Secret}@example.com/m.safetensors",
        $"https://user:p@ss:{Secret}@example.com/m.safetensors",
        $"https://example.com/m.safetensors?X-Amz-Signature={Secret}",
        $"https://example.com/m.safetensors?sig={Secret}&versionId=1",
        $"https://example.com/m.safetensors?versionId=1;sig={Secret}",
        $"https://example.com/m.safetensors?download=https://u:{Secret}@h/",
        $"https://example.com/m.safetensors?revision=a?sig={Secret}",
        $"https://example.com/m.safetensors?VERSIONID={Secret}",
        $"https://example.com/m.safetensors?versionId%3D={Secret}",
        $"https://example.com/m.safetensors?versionId=https://ada:{Secret}@example.com",
        $"https://example.com/m.safetensors#{Secret}",
        $"https://example.com/m.safetensors?versionId=1#revision={Secret}",
        $"https://example.com#?revision={Secret}",
        $"https://example.com?token={Secret}",
        $"HTTPS://USER:{Secret}@EXAMPLE.COM/",
        $"https:/user:{Secret}@example.com/m",
        $"https:user:{Secret}@example.com/m",
        $"https:\\\\user:{Secret}@example.com\\m",
        $"https://user:{Secret}\\@example.com/m",
        $"https://example.com\\@{Secret}/m",
        $" https://user:{Secret}@example.com/m",
        $"\thttps://user:{Secret}@example.com/m",
        $"url=https://user:{Secret}@example.com/m",
        $"://user:{Secret}@example.com/m",
        $"ht tp://user:{Secret}@example.com/m",
        $"https://user%3A{Secret}%40example.com/m",
        $"https://user:{Secret}@/m",
        $"https://example.com:{Secret}/m",
        $"s3://key:{Secret}@bucket/m",
        $"hf://user:{Secret}@org/m",
        $"hf://org/m?token={Secret}",
        $"az://account/container/m?sv=2024&sig={Secret}",
        $"file://user:{Secret}@host/m",
        $"file:///m.safetensors?{Secret}",
        $"file:///m.safetensors#{Secret}",
        $"file:{Secret}",
        $"anyscale:user:{Secret}",
        $"user:{Secret}@host/m.safetensors",
        $"//user:{Secret}@host/m.safetensors",
        $"https//user:{Secret}@host/m.safetensors",
        $@"https\\user:{Secret}@host\m.safetensors",
    ];

    [Theory]
    [MemberData(nameof(Displays))]
    public void A_path_or_URI_is_displayed_in_canonical_form(string text, string scheme, string display)
    {
        WeightUri uri = WeightUri.Parse(text);
        Assert.Equal((scheme, display, display), (uri.Scheme, uri.Display, uri.ToString()));
        Assert.Equal(text, uri.Original);

        // What a snapshot stores must name the same source when it is read back.
        Assert.Equal(uri, WeightUri.Parse(display));
        Assert.Equal(uri.GetHashCode(), WeightUri.Parse(display).GetHashCode());
        Assert.Equal(display, WeightUri.Parse(display).Display);
    }

    [Theory]
    [MemberData(nameof(Secrets))]
    public void A_secret_of_a_URI_is_in_no_displayed_text_and_no_error(string text)
    {
        if (WeightUri.TryParse(text, out WeightUri? uri, out string error))
        {
            Assert.DoesNotContain(Secret, uri!.Display, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Secret, $"{uri} {uri.Scheme}", StringComparison.OrdinalIgnoreCase);
        }
        else
        {
            Assert.NotEmpty(error);
            Assert.DoesNotContain(Secret, error, StringComparison.OrdinalIgnoreCase);
            string thrown = Assert.Throws<FormatException>(() => WeightUri.Parse(text)).ToString();
            Assert.DoesNotContain(Secret, thrown, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData(null)]
    [InlineData("a\0b")]
    [InlineData("https://example.com/\r\nHost: evil")]
    [InlineData("https://")]
    [InlineData("https:///m")]
    [InlineData("https://example.com:123456/m")]
    [InlineData("https://exa mple.com/m")]
    [InlineData("file://")]
    [InlineData("file://host")]
    [InlineData("file:relative.safetensors")]
    public void Text_that_is_neither_a_path_nor_a_URI_is_refused(string? text)
    {
        Assert.False(WeightUri.TryParse(text, out WeightUri? uri, out string error));
        Assert.Null(uri);
        Assert.EndsWith(".", error.TrimEnd(')'), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_URIs_are_equal_if_their_displayed_text_is_equal()
    {
        Assert.Equal(WeightUri.Parse("https://a:b@Host/m?sig=1"), WeightUri.Parse("https://host:443/m?sig=2"));
        Assert.NotEqual(WeightUri.Parse("https://host/m?versionId=1"), WeightUri.Parse("https://host/m?versionId=2"));
        Assert.NotEqual(WeightUri.Parse("https://host/m"), WeightUri.Parse("https://host/M"));
        Assert.False(WeightUri.Parse("m").Equals(null));
        Assert.True(WeightUri.Parse("m").IsPath);
        Assert.False(WeightUri.Parse("file:/m").IsPath);
    }
}
