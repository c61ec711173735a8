using Microsoft.AspNetCore.Http;
using TypedWeights.Checkpoints;
using TypedWeights.Sources;
using TypedWeights.Sources.Urls;
using TypedWeights.Tests.Loading.Http;
using static System.StringComparison;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>A server without ranges: the file is read from one response, from its first byte to its last.</summary>
public sealed class SequentialTests : FaultTest
{
    private readonly byte[] _bytes = HttpFile.Noise(1_000_000);
    private readonly UrlProvider _provider = new();
    private FileServer _server = null!;

    private string Url => _server.Address + "/f.bin";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _server = await FileServer.StartAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await _provider.DisposeAsync();
        await _server.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_file_without_ranges_is_read_in_order_from_one_response_and_gaps_are_skipped()
    {
        _server.Intercept = context => HttpFile.ServeWholeAsync(context, _bytes);

        await using IWeightSource source = await _provider.OpenAsync(Url, 4000);

        Assert.Equal((1_000_000, true), (source.Length, source.IsSequential));
        Assert.Equal(_bytes[..8], await source.ReadAsync(0, 8));
        Assert.Equal(_bytes[8..9000], await source.ReadAsync(8, 8992));
        Assert.Equal(_bytes[500_000..600_000], await source.ReadAsync(500_000, 100_000));
        Assert.Equal(_bytes[999_999..], await source.ReadAsync(999_999, 1));
        Assert.Equal(_bytes[..4000], await source.ReadAsync(0, 4000));
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task A_header_is_read_from_a_server_without_ranges()
    {
        byte[] file = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 100_000)]);
        _server.Intercept = context => HttpFile.ServeWholeAsync(context, file);

        await using IWeightSource source = await _provider.OpenAsync(Url);
        SafeTensorsHeader header = await source.ReadHeaderAsync(Token);

        Assert.Equal("a", Assert.Single(header.Tensors).Name);
        Assert.Equal(file[^100_000..], await source.ReadAsync(header.DataStart, 100_000));
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task A_second_concurrent_reader_of_a_file_without_ranges_is_refused()
    {
        _server.Intercept = context => HttpFile.ServeWholeAsync(context, _bytes);
        await using IWeightSource source = await _provider.OpenAsync(Url);

        await using (await source.OpenRangeAsync(1000, 100, Token))
        {
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await source.OpenRangeAsync(2000, 100, Token));
        }

        Assert.Equal(_bytes[2000..2100], await source.ReadAsync(2000, 100));
    }

    [Theory]
    [InlineData("\"a\"")]
    [InlineData("W/\"a\"")]
    public async Task A_whole_body_that_breaks_off_is_resumed_where_it_broke_off(string tag)
    {
        _server.Intercept = context => HttpFile.ServeWholeAsync(context, _bytes, tag, _server.Requests.Count == 1 ? 400_000 : null);
        await using IWeightSource source = await _provider.OpenAsync(Url);

        (byte[] first, WeightSourceException broken) = await source.ReadToFailureAsync(100_000, 800_000);
        byte[] rest = await source.ReadAsync(100_000 + first.Length, 800_000 - first.Length);

        Assert.True(broken.IsTransient);
        Assert.InRange(first.Length, 1, 300_000);
        Assert.Equal(_bytes[100_000..900_000], first.Concat(rest));
        Assert.Equal(["bytes=0-7", null], _server.Requests.Select(request => request.Range));
    }

    [Theory]
    [InlineData(null, null, "neither supports range requests nor sends an ETag")]
    [InlineData("\"a\"", "\"b\"", "replaced while it was read")]
    [InlineData("W/\"a\"", null, "replaced while it was read")]
    public async Task A_whole_body_that_breaks_off_is_not_resumed_if_the_file_may_have_changed(string? before, string? after, string expected)
    {
        bool isFirst = true;
        _server.Intercept = context =>
        {
            bool breaks = isFirst;
            isFirst = false;
            return HttpFile.ServeWholeAsync(context, _bytes, breaks ? before : after, breaks ? 400_000 : null);
        };
        await using IWeightSource source = await _provider.OpenAsync(Url);
        (byte[] first, _) = await source.ReadToFailureAsync(100_000, 800_000);

        (byte[] rest, WeightSourceException error) = await source.ReadToFailureAsync(100_000 + first.Length, 1000);

        Assert.Empty(rest);
        Assert.False(error.IsTransient);
        Assert.Contains(expected, error.Message, Ordinal);
    }

    [Theory]
    [InlineData("text/html; charset=utf-8", "sign in, please", "an HTML page")]
    [InlineData("application/octet-stream", "<!DOCTYPE html><title>Sign in</title>", "an HTML page")]
    [InlineData("text/plain", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1", "git lfs pull")]
    public async Task An_HTML_page_or_an_LFS_pointer_in_place_of_the_file_is_an_error_that_says_so(string type, string text, string expected)
    {
        foreach (bool hasLength in (bool[])[true, false])
        {
            _server.Intercept = async context =>
            {
                context.Response.ContentType = type;
                context.Response.ContentLength = hasLength ? text.Length : null;
                await context.Response.WriteAsync(text);
                return true;
            };

            WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => _provider.OpenAsync(Url));

            Assert.Contains(expected, error.Message, Ordinal);
            Assert.False(error.IsTransient);
        }
    }

    [Fact]
    public async Task A_file_without_ranges_and_without_a_length_is_read_to_its_end()
    {
        _server.Intercept = context => ServeChunkedAsync(context, _bytes);

        await using IWeightSource source = await _provider.OpenAsync(Url);

        Assert.Equal(_bytes.Length, source.Length);
        Assert.Equal(_bytes, await source.ReadAsync(0, _bytes.Length));
        Assert.Single(_server.Requests);
    }

    [Theory]
    [InlineData("m.safetensors", "Content-Length: 0\r\n\r\n")]
    [InlineData("m.safetensors", "Connection: close\r\n\r\n")]
    [InlineData("m.safetensors", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [InlineData("m.safetensors.index.json", "Content-Length: 0\r\n\r\n")]
    [InlineData("m.safetensors.index.json", "Connection: close\r\n\r\n")]
    [InlineData("m.safetensors.index.json", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    public async Task An_empty_file_is_reported_as_empty_however_its_length_is_sent(string name, string head)
    {
        await using var server = new RawServer([1]);
        server.Answer = async (connection, token) =>
        {
            await connection.SendAsync("HTTP/1.1 200 OK\r\n" + head, token);
            return true;
        };
        await using WeightLoader loader = new WeightLoaderBuilder().Build();

        SafeTensorsFormatException error = await Assert.ThrowsAsync<SafeTensorsFormatException>(
            () => loader.LoadTensorsAsync($"{server.Address}/{name}", cancellationToken: Token));

        Assert.Contains(
            name.EndsWith("json", Ordinal) ? "found the end of the text" : "not a safetensors file but an empty file", error.Message, Ordinal);
    }

    [Fact]
    public async Task The_length_of_a_chunked_safetensors_file_is_read_from_its_header()
    {
        byte[] file = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3_000_000), TestFile.Noise("b", "U8", 5)]);
        _server.Intercept = context => ServeChunkedAsync(context, file);

        await using IWeightSource source = await _provider.OpenAsync(Url);

        Assert.True(source.IsSequential);
        Assert.Equal(file.Length, source.Length);
        Assert.Equal(file, await source.ReadAsync(0, file.Length));
    }

    [Theory]
    [InlineData(-1, "the response ended after")]
    [InlineData(1, "the server sent more than")]
    public async Task A_chunked_safetensors_file_with_another_length_than_its_header_says_is_an_error(int more, string expected)
    {
        byte[] file = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3_000_000)]);
        byte[] sent = [.. file[..Math.Min(file.Length, file.Length + more)], .. new byte[Math.Max(0, more)]];
        _server.Intercept = context => ServeChunkedAsync(context, sent);
        await using IWeightSource source = await _provider.OpenAsync(Url);

        (_, WeightSourceException error) = await source.ReadToFailureAsync(0, file.Length);

        Assert.Contains(expected, error.Message, Ordinal);
    }

    [Fact]
    public async Task An_invalid_header_in_a_chunked_file_is_reported_as_a_format_error()
    {
        byte[] header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[900],\"data_offsets\":[0,900]},\"a\":1}    "u8.ToArray();
        byte[] file = [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[2000]];
        _server.Intercept = context => ServeChunkedAsync(context, file);
        await using IWeightSource source = await _provider.OpenAsync(Url);

        SafeTensorsFormatException error = await Assert.ThrowsAsync<SafeTensorsFormatException>(
            async () => await source.ReadHeaderAsync(TestContext.Current.CancellationToken));

        Assert.Equal(SafeTensorsErrorKind.InvalidHeaderDeserialization, error.Kind);
    }

    [Fact]
    public async Task A_chunked_file_that_breaks_off_is_resumed_when_its_ETag_is_unchanged()
    {
        byte[] file = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 3_000_000)]);
        _server.Intercept = async context =>
        {
            context.Response.Headers.ETag = "\"a\"";
            if (_server.Requests.Count > 1)
            {
                return await ServeChunkedAsync(context, file);
            }

            await context.Response.Body.WriteAsync(file.AsMemory(0, 2_000_000));
            context.Abort();
            return true;
        };
        await using WeightLoader loader = new WeightLoaderBuilder().Build();
        using WeightSet weights = await loader.LoadTensorsAsync(
            _server.Address + "/m.safetensors", cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(file[^3_000_000..], TensorBytes.Of(weights["a"]));
    }

    [Fact]
    public async Task A_compressed_file_from_a_server_without_ranges_is_refused()
    {
        _server.Intercept = context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            return HttpFile.ServeWholeAsync(context, _bytes);
        };

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => _provider.OpenAsync(Url));

        Assert.Contains("compressed the body (gzip)", error.Message, Ordinal);
    }

    [Fact]
    public async Task A_cancelled_read_leaves_the_source_ready_for_another_range()
    {
        bool isFirst = true;
        _server.Intercept = async context =>
        {
            bool hangs = isFirst;
            isFirst = false;
            if (!hangs)
            {
                return await HttpFile.ServeWholeAsync(context, _bytes, "\"a\"");
            }

            context.Response.ContentLength = _bytes.Length;
            context.Response.Headers.ETag = "\"a\"";
            await context.Response.Body.WriteAsync(_bytes.AsMemory(0, 100_000));
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return true;
        };
        await using IWeightSource source = await _provider.OpenAsync(Url);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        cancel.CancelAfter(100);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await WeightSourceReading.ReadAsync(source, 500_000, 10, cancel.Token));

        Assert.Equal(_bytes[200_000..200_100], await source.ReadAsync(200_000, 100));
    }

    [Theory]
    [InlineData(TensorStorage.Arena)]
    [InlineData(TensorStorage.PerTensor)]
    public async Task A_file_from_a_server_without_ranges_is_read_once(TensorStorage storage)
    {
        Server.Answer = _ => Respond.IgnoreRange;
        await using WeightLoader loader = Loader();

        using WeightSet weights = await loader.LoadTensorsAsync(
            Uri, new() { Storage = storage }, cancellationToken: TestContext.Current.CancellationToken);

        NoiseFile.AssertIn(weights);
        Assert.Single(Server.Requests);
        Assert.Equal(NoiseFile.Bytes.Length, Server.Requests.Sum(request => request.Sent));
    }

    [Fact]
    public async Task A_filtered_load_from_a_server_without_ranges_is_an_error_that_names_ranges()
    {
        Server.Answer = _ => Respond.IgnoreRange;
        long before = NativeTensors.Count();
        await using WeightLoader loader = Loader();

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => loader.LoadTensorsAsync(
            Uri, new() { Filter = name => name == "scale" }, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("range", error.Message, StringComparison.Ordinal);
        NativeTensors.AssertNoneSince(before);
        await Server.WaitUntilIdleAsync();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(200)]
    [InlineData(1_000_000)]
    public async Task A_whole_body_that_breaks_off_is_requested_again_and_resumed_where_it_stopped(int bytes)
    {
        Server.Answer = request => request.Index == 0 ? Respond.IgnoreRangeUntil(bytes) : Respond.IgnoreRange;

        await AssertLoadsAsync();

        Assert.Equal(2, Server.Requests.Count);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(500_000)]
    public async Task A_second_body_that_stalls_before_the_byte_to_resume_at_is_requested_again(int bytes)
    {
        Server.Answer = request => request.Index switch
        {
            0 => Whole(1_000_000),
            1 => bytes < 0 ? Respond.Silence : Whole(bytes, Timeout.InfiniteTimeSpan),
            _ => Respond.IgnoreRange,
        };

        await AssertLoadsAsync();

        Assert.Equal((3, 1_000_000), (Server.Requests.Count, Server.Requests.First().Sent));
    }

    [Fact]
    public async Task A_second_body_that_is_slow_to_reach_the_byte_to_resume_at_is_no_stall()
    {
        // In all it takes longer than a stall may; no pause does.
        Server.Answer = request => request.Index == 0 ? Whole(1_000_000) : Whole(NoiseFile.Bytes.Length, TimeSpan.FromMilliseconds(300), pieces: 8);

        await AssertLoadsAsync();

        Assert.Equal(2, Server.Requests.Count);
    }

    [Fact]
    public async Task Another_file_in_the_second_body_is_an_error_that_says_the_file_changed()
    {
        Server.Answer = request =>
        {
            if (request.Index == 0)
            {
                Server.Files["/" + NoiseFile.Name] = ServedFile.Strong(NoiseFile.OtherBytes);
                return Respond.IgnoreRangeUntil(1_000_000);
            }

            return Respond.IgnoreRange;
        };

        await AssertFailsAsync("replaced|changed");
    }

    [Fact]
    public async Task A_body_that_always_breaks_off_at_the_same_byte_is_an_error_after_the_attempts()
    {
        Server.Answer = _ => Respond.IgnoreRangeUntil(1_000_000);

        await AssertFailsAsync("attempts");
    }

    [Fact]
    public async Task A_server_that_stops_serving_ranges_during_a_load_is_an_error()
    {
        Server.Answer = request => request.Payload >= 3 ? Respond.IgnoreRange : null;

        await AssertFailsAsync("range");
    }

    // 200 with so many bytes of the file, in pieces with pauses; time enough to read them before the connection breaks.
    private static Fault Whole(int bytes, TimeSpan? pause = null, int pieces = 1) => async request =>
    {
        request.Context.Response.Headers.ETag = request.File!.Tag;
        request.Context.Response.ContentLength = request.File.Bytes.Length;
        for (int piece = 0; piece < pieces; piece++)
        {
            long from = (long)bytes * piece / pieces;
            await Respond.WriteAsync(request, from, ((long)bytes * (piece + 1) / pieces) - from);
            await request.Context.Response.Body.FlushAsync(request.Aborted);
            await Task.Delay(pause ?? TimeSpan.FromMilliseconds(150), request.Aborted);
        }

        if (bytes < request.File.Bytes.Length)
        {
            request.Context.Abort();
        }
    };

    // Without a Content-Length, Kestrel sends in chunks.
    private static async Task<bool> ServeChunkedAsync(HttpContext context, byte[] bytes)
    {
        await context.Response.Body.WriteAsync(bytes);
        return true;
    }
}
