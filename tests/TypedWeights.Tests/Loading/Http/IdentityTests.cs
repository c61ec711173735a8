using TypedWeights.Sources;
using TypedWeights.Sources.Urls;
using static System.StringComparison;

namespace TypedWeights.Tests.Loading.Http;

public sealed class IdentityTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Monday = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    private readonly byte[] _bytes = HttpFile.Noise(50_000);
    private readonly UrlProvider _provider = new();
    private readonly List<string> _ifMatch = [];
    private FileServer _server = null!;

    private string Url => _server.Address + "/f.bin";

    public async ValueTask InitializeAsync() => _server = await FileServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _provider.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_strong_ETag_is_sent_with_every_later_request()
    {
        Serve("\"a\"", Monday);
        await using IWeightSource source = await _provider.OpenAsync(Url);

        Assert.Equal(_bytes[100..200], await source.ReadAsync(100, 100));

        Assert.Equal(["", "\"a\""], _ifMatch);
        Assert.Equal("\"a\"", source.Validator);
    }

    [Theory]
    [InlineData("\"gr\u00F6\u00DFe\"", "\"gr\u00F6\u00DFe\"", true)]
    [InlineData("\"\u00C3\u00B6\u0080\u00FF\"", "\"\u00C3\u00B6\u0080\u00FF\"", true)]
    [InlineData("\"gr\u00F6\u00DFe\"", "\"gr\u00F6\u00DF\"", false)]
    [InlineData("\"gr\u00F6\u00DFe\"", "\"gr\u00E6\u00DFe\"", false)]
    public async Task A_non_ASCII_ETag_is_compared_and_not_sent_as_If_Match(string first, string later, bool isSame)
    {
        string? asked = null;
        await using var server = new RawServer(_bytes);
        server.Answer = async (connection, token) =>
        {
            asked = connection.Request;
            string head = $"HTTP/1.1 206 Partial Content\r\nETag: {(connection.Index == 0 ? first : later)}\r\n"
                + $"Content-Length: {connection.Length}\r\nContent-Range: bytes {connection.From}-{connection.To}/{_bytes.Length}\r\n\r\n";
            await connection.SendAsync(System.Text.Encoding.Latin1.GetBytes(head), token);
            await connection.SendBodyAsync(connection.Length, token);
            return true;
        };
        await using IWeightSource source = await _provider.OpenAsync(server.Address + "/f.bin");

        Exception? error = await Record.ExceptionAsync(async () => Assert.Equal(_bytes[100..200], await source.ReadAsync(100, 100)));

        Assert.Equal(isSame, error is null);
        Assert.Equal(!isSame, error?.Message.Contains("its ETag has changed", Ordinal) == true);
        Assert.DoesNotContain("If-Match", asked, OrdinalIgnoreCase);
        Assert.Equal(first, source.Validator);
    }

    [Fact]
    public async Task Equal_headers_that_a_proxy_doubled_or_joined_count_as_one()
    {
        await using var server = new RawServer(_bytes);
        server.Answer = async (connection, token) =>
        {
            string range = $"bytes {connection.From}-{connection.To}/{_bytes.Length}";
            string length = connection.Index == 0 ? $"{connection.Length}, {connection.Length}" : $"{connection.Length}";
            await connection.SendAsync(
                $"HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\nETag: \"a\"\r\nContent-Length: {length}\r\nContent-Length: {length}\r\n"
                    + $"Content-Range: {range}, {range}\r\nLast-Modified: Mon, 23 Nov 2026 08:00:00 GMT\r\n\r\n",
                token);
            await connection.SendBodyAsync(connection.Length, token);

            // The connection stays open, so that nothing but the length ends the body.
            await connection.WaitForCloseAsync(token);
            return true;
        };
        await using IWeightSource source = await _provider.OpenAsync(server.Address + "/f.bin");

        Assert.Equal(_bytes[100..200], await source.ReadAsync(100, 100));
        Assert.Equal("\"a\"", source.Validator);
    }

    [Theory]
    [InlineData("W/\"a\"", "W/\"a\"")]
    [InlineData(null, "last-modified:Mon, 23 Nov 2026 08:00:00 GMT")]
    public async Task Without_a_strong_ETag_no_If_Match_is_sent(string? tag, string validator)
    {
        Serve(tag, Monday);
        await using IWeightSource source = await _provider.OpenAsync(Url);

        Assert.Equal(_bytes[100..200], await source.ReadAsync(100, 100));

        Assert.Equal(["", ""], _ifMatch);
        Assert.Equal(validator, source.Validator);
    }

    [Theory]
    [InlineData("\"a\"", "\"b\"", 0, 0)]
    [InlineData("W/\"a\"", "W/\"b\"", 0, 0)]
    [InlineData("W/\"a\"", "\"a\"", 0, 0)]
    [InlineData("W/\"a\"", null, 0, 0)]
    [InlineData("\"a\"", "\"a\"", 1, 0)]
    [InlineData(null, null, 1, 0)]
    [InlineData(null, null, 0, 1)]
    [InlineData("\"a\"", "\"a\"", 0, 1)]
    [InlineData("\"a\"", "\"a\"", 0, -49_000)]
    public async Task A_later_response_with_another_validator_or_length_means_the_file_was_replaced(
        string? before, string? after, int seconds, int longer)
    {
        Serve(before, Monday);
        await using IWeightSource source = await _provider.OpenAsync(Url);
        Serve(after, Monday.AddSeconds(seconds), longer);

        (byte[] bytes, WeightSourceException error) = await source.ReadToFailureAsync(10_000, 100);

        Assert.Empty(bytes);
        Assert.Contains("replaced while it was read", error.Message, Ordinal);
        Assert.False(error.IsTransient);
    }

    private void Serve(string? tag, DateTimeOffset modified, int longer = 0)
    {
        byte[] bytes = new byte[_bytes.Length + longer];
        _bytes.AsSpan(0, Math.Min(bytes.Length, _bytes.Length)).CopyTo(bytes);
        _server.Intercept = context =>
        {
            _ifMatch.Add(context.Request.Headers.IfMatch.ToString());
            return HttpFile.ServeAsync(context, bytes, tag, modified);
        };
    }
}
