using TypedWeights.Sources;
using TypedWeights.Sources.Http;
using static System.StringComparison;

namespace TypedWeights.Tests.Loading.Http;

public sealed class IdentityTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Monday = new(2026, 11, 23, 8, 0, 0, TimeSpan.Zero);

    private readonly byte[] _bytes = HttpFile.Noise(50_000);
    private readonly HttpSourceProvider _provider = new();
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
    [InlineData("W/\"a\"", "W/\"a\"")]
    [InlineData(null, "last-modified:Mon, 23 Nov 2026 08:00:00 GMT")]
    public async Task Without_a_strong_ETag_nothing_is_sent(string? tag, string validator)
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
    public async Task Whatever_differs_in_a_later_answer_is_a_file_that_was_replaced(string? before, string? after, int seconds, int longer)
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
