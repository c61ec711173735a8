using System.Globalization;
using Microsoft.AspNetCore.Http;
using TypedWeights.Sources;
using TypedWeights.Sources.Urls;
using static System.StringComparison;

namespace TypedWeights.Tests.Loading.Http;

public sealed class AnswerTests : IAsyncLifetime
{
    private readonly byte[] _bytes = HttpFile.Noise(50_000);
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

    [Theory]
    [InlineData("bytes 1000-1099/50000", null, "Content-Range: bytes 1000-1099/50000")]
    [InlineData("bytes 2000-2100/50000", null, "Content-Range: bytes 2000-2100/50000")]
    [InlineData("bytes=2000-2099/50000", null, "without a Content-Range")]
    [InlineData("bytes 2000-2099", null, "without a Content-Range")]
    [InlineData("lines 2000-2099/50000", null, "without a Content-Range")]
    [InlineData("nonsense", null, "without a Content-Range")]
    [InlineData(null, null, "without a Content-Range")]
    [InlineData("bytes 2000-2099/50000, bytes 2000-2098/50000", null, "several values of Content-Range")]
    [InlineData(null, "multipart/byteranges; boundary=x", "several parts")]
    public async Task A_range_other_than_the_requested_one_is_refused(string? range, string? type, string expected)
    {
        (byte[] bytes, WeightSourceException error) = await AnswerAsync(async response =>
        {
            response.Headers.ContentRange = range;
            response.ContentType = type;
            await response.Body.WriteAsync(_bytes.AsMemory(2000, 100));
        });

        Assert.Empty(bytes);
        Assert.Contains(expected, error.Message, Ordinal);
        Assert.False(error.IsTransient);
    }

    [Theory]
    [InlineData("Bytes 2000-2099/50000")]
    [InlineData("BYTES 2000-2099/50000")]
    [InlineData("bytes 2000-2099/*")]
    [InlineData("bytes  2000 - 2099 / 50000 ")]
    [InlineData("bytes 2000-2099/50000", "bytes 2000-2099/50000")]
    [InlineData("bytes 2000-2099/50000, bytes 2000-2099/50000")]
    public async Task A_Content_Range_is_read_in_every_spelling_of_the_standard(params string[] ranges)
    {
        Intercept(async response =>
        {
            response.Headers.ContentRange = ranges;
            response.ContentLength = 100;
            await response.Body.WriteAsync(_bytes.AsMemory(2000, 100));
        });
        await using IWeightSource source = await _provider.OpenAsync(Url);

        Assert.Equal(_bytes[2000..2100], await source.ReadAsync(2000, 100));
    }

    [Fact]
    public async Task Two_different_Content_Range_headers_in_one_response_are_refused()
    {
        (_, WeightSourceException error) = await AnswerAsync(async response =>
        {
            response.Headers.ContentRange = new[] { "bytes 2000-2099/50000", "bytes 2000-2099/60000" };
            await response.Body.WriteAsync(_bytes.AsMemory(2000, 100));
        });

        Assert.Contains("several values of Content-Range", error.Message, Ordinal);
        Assert.Contains("bytes 2000-2099/50000, bytes 2000-2099/60000", error.Message, Ordinal);
    }

    [Theory]
    [InlineData(50_000)]
    [InlineData(null)]
    public async Task The_rest_of_a_shortened_range_is_requested(int? length)
    {
        _server.Intercept = async context =>
        {
            string? asked = context.Request.Headers.Range.ToString().Replace("bytes=", "", Ordinal);
            context.Response.Headers.ETag = "\"a\"";
            if (asked.Length == 0)
            {
                return await HttpFile.ServeWholeAsync(context, _bytes, "\"a\"");
            }

            int from = int.Parse(asked.Split('-')[0], CultureInfo.InvariantCulture);
            int to = Math.Min(int.Parse(asked.Split('-')[1], CultureInfo.InvariantCulture), from + 6999);
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{to}/{(length is null ? "*" : length)}";
            await context.Response.Body.WriteAsync(_bytes.AsMemory(from, to - from + 1));
            return true;
        };
        await using IWeightSource source = await _provider.OpenAsync(Url, firstBytes: 20_000);
        Assert.Equal(50_000, source.Length);
        _server.Requests.Clear();

        byte[] all = await source.ReadAsync(1000, 30_000);

        Assert.Equal(_bytes[1000..31_000], all);
        Assert.Equal(
            ["bytes=1000-30999", "bytes=8000-30999", "bytes=15000-30999", "bytes=22000-30999", "bytes=29000-30999"],
            _server.Requests.Select(request => request.Range));
    }

    [Fact]
    public async Task The_rest_of_a_range_from_another_version_is_never_joined_to_the_start()
    {
        int asked = 0;
        _server.Intercept = async context =>
        {
            string range = context.Request.Headers.Range.ToString().Replace("bytes=", "", Ordinal);
            int from = int.Parse(range.Split('-')[0], CultureInfo.InvariantCulture);
            context.Response.StatusCode = 206;
            context.Response.Headers.ETag = asked++ < 2 ? "\"a\"" : "\"b\"";
            context.Response.Headers.ContentRange = $"bytes {from}-{from + 7}/50000";
            await context.Response.Body.WriteAsync(_bytes.AsMemory(from, 8));
            return true;
        };
        await using IWeightSource source = await _provider.OpenAsync(Url);

        (byte[] bytes, WeightSourceException error) = await source.ReadToFailureAsync(2000, 100);

        Assert.Equal(_bytes[2000..2008], bytes);
        Assert.Contains("replaced while it was read", error.Message, Ordinal);
    }

    [Theory]
    [InlineData(99)]
    [InlineData(101)]
    public async Task A_body_of_another_length_than_its_range_is_refused(int length)
    {
        (byte[] bytes, WeightSourceException error) = await AnswerAsync(async response =>
        {
            response.ContentLength = length;
            await response.Body.WriteAsync(_bytes.AsMemory(2000, length));
        });

        Assert.Empty(bytes);
        Assert.Contains($"100 bytes with a body of {length}", error.Message, Ordinal);
        Assert.False(error.IsTransient);
    }

    [Fact]
    public async Task A_body_without_a_length_that_is_too_long_is_refused_before_its_range_is_complete()
    {
        (byte[] bytes, WeightSourceException error) = await AnswerAsync(async response =>
        {
            await response.Body.WriteAsync(_bytes.AsMemory(2000, 100));
            await response.Body.FlushAsync();
            await Task.Delay(50);
            await response.Body.WriteAsync(_bytes.AsMemory(2100, 1));
        });

        Assert.True(bytes.Length < 100);
        Assert.Contains("more than the 100 bytes", error.Message, Ordinal);
        Assert.False(error.IsTransient);
    }

    [Fact]
    public async Task A_body_without_a_length_that_ends_with_the_range_is_read()
    {
        Intercept(async response => await response.Body.WriteAsync(_bytes.AsMemory(2000, 100)));
        await using IWeightSource source = await _provider.OpenAsync(Url);

        Assert.Equal(_bytes[2000..2100], await source.ReadAsync(2000, 100));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task A_body_that_ends_early_is_a_transient_error(bool hasLength, bool isCut)
    {
        (byte[] bytes, WeightSourceException error) = await AnswerAsync(async response =>
        {
            response.ContentLength = hasLength ? 100 : null;
            await response.Body.WriteAsync(_bytes.AsMemory(2000, 60));
            await response.Body.FlushAsync();
            if (isCut)
            {
                response.HttpContext.Abort();
            }
        });

        Assert.Equal(_bytes[2000..(2000 + bytes.Length)], bytes);
        Assert.True(error.IsTransient);
        if (!isCut)
        {
            // A reset may take with it what has come and was not read yet.
            Assert.Contains("after 60 of 100 bytes", error.Message, Ordinal);
        }
    }

    [Theory]
    [InlineData(206, "gzip", "compressed the body (gzip)")]
    [InlineData(200, null, "ignores range requests")]
    [InlineData(416, null, "does not have this range")]
    [InlineData(412, null, "replaced while it was read")]
    [InlineData(304, null, "responded with 304")]
    [InlineData(501, null, "responded with 501")]
    [InlineData(400, null, "responded with 400")]
    [InlineData(401, null, "requires credentials")]
    [InlineData(403, null, "access was denied")]
    [InlineData(407, null, "the server responded with 407")]
    public async Task An_unusable_response_is_an_error_that_names_it_and_is_not_transient(int status, string? encoding, string expected)
    {
        (_, WeightSourceException error) = await AnswerAsync(response =>
        {
            response.StatusCode = status;
            response.Headers.ContentEncoding = encoding;
            return Task.CompletedTask;
        });

        Assert.Contains(expected, error.Message, Ordinal);
        Assert.False(error.IsTransient);
        Assert.False(error.IsNotFound);
        Assert.Equal(2, _server.Requests.Count);
    }

    [Fact]
    public async Task An_HTML_page_in_place_of_a_range_is_an_error_that_says_so()
    {
        (_, WeightSourceException error) = await AnswerAsync(response =>
        {
            response.StatusCode = 200;
            response.ContentType = "text/html";
            return response.WriteAsync("slow down");
        });

        Assert.Contains("an HTML page", error.Message, Ordinal);
    }

    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_status_for_a_temporary_failure_is_a_transient_error(int status)
    {
        (_, WeightSourceException error) = await AnswerAsync(response =>
        {
            response.StatusCode = status;
            return Task.CompletedTask;
        });

        Assert.True(error.IsTransient);
        Assert.Null(error.RetryAfter);
        Assert.Contains(status.ToString(CultureInfo.InvariantCulture), error.Message, Ordinal);
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("Mon, 23 Nov 2026 08:01:30 GMT", 90)]
    [InlineData("Mon, 23 Nov 2026 07:59:00 GMT", 0)]
    [InlineData("soon", null)]
    public async Task Retry_After_is_read_as_seconds_or_as_a_date_by_the_clock_of_the_server(string text, int? seconds)
    {
        (_, WeightSourceException error) = await AnswerAsync(response =>
        {
            response.StatusCode = 503;
            response.Headers.Date = "Mon, 23 Nov 2026 08:00:00 GMT";
            response.Headers.RetryAfter = text;
            return Task.CompletedTask;
        });

        Assert.Equal(seconds, error.RetryAfter?.TotalSeconds);
    }

    [Fact]
    public async Task A_connection_that_closes_without_a_response_is_a_transient_error()
    {
        (_, WeightSourceException error) = await AnswerAsync(response =>
        {
            response.HttpContext.Abort();
            return Task.CompletedTask;
        });

        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task A_host_that_does_not_exist_is_an_error_that_says_so()
    {
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => _provider.OpenAsync("http://typed-weights.invalid/f.bin"));

        Assert.Contains("does not resolve", error.Message, Ordinal);
    }

    [Fact]
    public async Task A_cancelled_read_ends_and_its_memory_is_not_written_afterwards()
    {
        var sent = new TaskCompletionSource();
        var hasSent = new TaskCompletionSource();
        Intercept(async response =>
        {
            response.ContentLength = 40_000;
            response.Headers.ContentRange = "bytes 2000-41999/50000";
            await response.Body.WriteAsync(_bytes.AsMemory(2000, 10));
            await response.Body.FlushAsync();
            await sent.Task;
            try
            {
                await response.Body.WriteAsync(_bytes.AsMemory(2010, 39_990));
            }
            finally
            {
                hasSent.SetResult();
            }
        });
        await using IWeightSource source = await _provider.OpenAsync(Url);
        await using IRangeReader reader = await source.OpenRangeAsync(2000, 40_000, TestContext.Current.CancellationToken);
        byte[] memory = new byte[39_990];
        Assert.Equal(10, await reader.ReadAsync(memory, TestContext.Current.CancellationToken));
        Array.Clear(memory);
        using var cancel = new CancellationTokenSource();

        ValueTask<int> read = reader.ReadAsync(memory, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await read);
        sent.SetResult();
        await hasSent.Task.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

        Assert.All(memory, value => Assert.Equal(0, value));
    }

    // Opens the file, then reads bytes 2000 to 2099 and is answered so.
    private async Task<(byte[] Bytes, WeightSourceException Failure)> AnswerAsync(Func<HttpResponse, Task> answer)
    {
        Intercept(answer);
        await using IWeightSource source = await _provider.OpenAsync(Url);
        return await source.ReadToFailureAsync(2000, 100);
    }

    private void Intercept(Func<HttpResponse, Task> answer) => _server.Intercept = async context =>
    {
        context.Response.Headers.ETag = "\"a\"";
        if (_server.Requests.Count == 1)
        {
            return await HttpFile.ServeAsync(context, _bytes, "\"a\"");
        }

        context.Response.StatusCode = 206;
        context.Response.Headers.ContentRange = "bytes 2000-2099/50000";
        await answer(context.Response);
        return true;
    };
}
