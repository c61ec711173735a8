using TypedWeights.Sources;
using TypedWeights.Sources.Urls;
using static System.StringComparison;

namespace TypedWeights.Tests.Loading.Http;

public sealed class OpeningTests : IAsyncLifetime
{
    private readonly byte[] _bytes = HttpFile.Noise(300_000);
    private readonly UrlProvider _provider = new();
    private FileServer _server = null!;

    private string Url => _server.Address + "/f.bin";

    public async ValueTask InitializeAsync()
    {
        _server = await FileServer.StartAsync();
        _server.Files["/f.bin"] = _bytes;
    }

    public async ValueTask DisposeAsync()
    {
        await _provider.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task First_bytes_arrive_with_the_opening_response_and_cost_no_further_request()
    {
        await using IWeightSource source = await _provider.OpenAsync(Url, 4096);

        Assert.Equal(_bytes[..4096], await source.ReadAsync(0, 4096));
        Assert.Equal(_bytes[8..4000], await source.ReadAsync(8, 3992));
        Assert.Equal(_bytes[4000..5000], await source.ReadAsync(4000, 1000));

        Assert.Equal(["bytes=0-4095", "bytes=4000-4999"], _server.Requests.Select(request => request.Range));
        Assert.Equal((300_000, false), (source.Length, source.IsSequential));
        Assert.Matches("^\"[0-9A-F]{16}\"$", source.Validator);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(0)]
    public async Task A_file_shorter_than_the_requested_first_bytes_is_opened(int length)
    {
        _server.Files["/f.bin"] = _bytes[..length];

        await using IWeightSource source = await _provider.OpenAsync(Url, 4096);

        Assert.Equal(length, source.Length);
        Assert.Equal(_bytes[..length], await source.ReadAsync(0, length));
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task Opening_ahead_sends_no_request_and_the_first_response_fixes_the_version()
    {
        await using IWeightSource source = await _provider.OpenAheadAsync(Url, _bytes.Length);
        Assert.Equal((_bytes.Length, (string?)null), (source.Length, source.Validator));
        Assert.Empty(_server.Requests);

        byte[][] parts = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => source.ReadAsync(i * 10_000, 10_000)));

        Assert.Equal(_bytes, parts.SelectMany(part => part));
        Assert.Matches("^\"[0-9A-F]{16}\"$", source.Validator);
        Assert.Equal(30, _server.Requests.Count);
    }

    [Theory]
    [InlineData(299_999)]
    [InlineData(300_001)]
    [InlineData(400_000)]
    public async Task A_file_opened_ahead_with_a_wrong_length_fails_its_reads(int expected)
    {
        await using IWeightSource source = await _provider.OpenAheadAsync(Url, expected);

        (byte[] bytes, WeightSourceException error) = await source.ReadToFailureAsync(expected - 100, 100);

        Assert.Empty(bytes);
        Assert.False(error.IsTransient);
        Assert.Contains($"300000 bytes, but {expected} were expected", error.Message, Ordinal);
    }

    [Fact]
    public async Task Concurrent_reads_that_get_two_versions_accept_only_one()
    {
        int requests = 0;
        var together = new TaskCompletionSource();
        _server.Intercept = async context =>
        {
            int number = Interlocked.Increment(ref requests);
            if (number == 8)
            {
                together.SetResult();
            }

            await together.Task;
            return await HttpFile.ServeAsync(context, _bytes, number % 2 == 0 ? "\"a\"" : "\"b\"");
        };
        await using IWeightSource source = await _provider.OpenAheadAsync(Url, _bytes.Length);

        Task<byte[]>[] reads = [.. Enumerable.Range(0, 8).Select(i => source.ReadAsync(i * 1000, 1000))];
        await Task.WhenAll(reads).ContinueWith(_ => { }, TaskScheduler.Default);

        Assert.Equal(4, reads.Count(read => read.IsCompletedSuccessfully));
        Assert.All(
            reads.Where(read => read.IsFaulted),
            read => Assert.Contains("replaced", Assert.IsType<WeightSourceException>(read.Exception!.InnerException).Message, Ordinal));
    }

    [Fact]
    public async Task A_file_opened_ahead_on_a_server_without_ranges_is_an_error_that_says_so()
    {
        _server.Intercept = context => HttpFile.ServeWholeAsync(context, _bytes, "\"a\"");
        await using IWeightSource source = await _provider.OpenAheadAsync(Url, _bytes.Length);

        (_, WeightSourceException error) = await source.ReadToFailureAsync(0, 100);

        Assert.Contains("ignores range requests", error.Message, Ordinal);
        Assert.False(error.IsTransient);
    }
}
