using Microsoft.AspNetCore.Http;
using TorchSharp;

namespace TypedWeights.Tests.Loading;

public sealed class HttpLoadTests : IAsyncLifetime
{
    private FileServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await FileServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_file_on_a_server_loads_in_ranges_with_its_bytes()
    {
        TestFile.Entry[] entries = [TestFile.Noise("a", "BF16", 16, 3000, 3000), TestFile.Noise("b", "F32", 32, 777), TestFile.F32("s", [], 4)];
        _server.Files["/m/model.safetensors"] = TestFile.Bytes(entries);

        using WeightSet weights = await LoadAsync($"{_server.Address}/m/model.safetensors");

        Assert.All(entries, entry => Assert.True(entry.Data.AsSpan().SequenceEqual(TensorBytes.Of(weights[entry.Name])), entry.Name));
        Assert.All(_server.Requests, request => Assert.NotNull(request.Range));
        Assert.Equal("bytes=0-7", _server.Requests.First().Range);
    }

    [Theory]
    [InlineData("/m/")]
    [InlineData("/m/model.safetensors.index.json")]
    public async Task An_index_on_a_server_loads_as_one_model(string path)
    {
        Shard("model-00001-of-00002.safetensors", TestFile.F32("a", [1], 1));
        Shard("model-00002-of-00002.safetensors", TestFile.F32("b", [1], 2));
        _server.Files["/m/model.safetensors.index.json"] = System.Text.Encoding.UTF8.GetBytes(
            """{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}""");

        using WeightSet weights = await LoadAsync(_server.Address + path);

        Assert.Equal(2f, weights["b"].item<float>());

        void Shard(string name, TestFile.Entry entry) => _server.Files["/m/" + name] = TestFile.Bytes([entry]);
    }

    [Fact]
    public async Task A_file_that_changes_between_two_requests_is_an_error_and_frees_everything()
    {
        byte[] before = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 20_000_000)]);
        byte[] after = [.. before];
        after[^1] ^= 1;
        _server.Files["/model.safetensors"] = before;
        int requests = 0;
        _server.Intercept = _ =>
        {
            if (Interlocked.Increment(ref requests) == 3)
            {
                _server.Files["/model.safetensors"] = after;
            }

            return Task.FromResult(false);
        };
        long tensors = NativeTensors.Count();

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync($"{_server.Address}/model.safetensors"));

        Assert.Contains("replaced", error.Message, StringComparison.Ordinal);
        NativeTensors.AssertNoneSince(tensors);
    }

    [Theory]
    [InlineData(401, "requires credentials")]
    [InlineData(403, "denied")]
    [InlineData(404, "no such file")]
    [InlineData(503, "not available now")]
    public async Task An_error_response_is_an_error_that_explains_its_status(int status, string expected)
    {
        _server.Intercept = async context =>
        {
            context.Response.StatusCode = status;
            await context.Response.WriteAsync("no");
            return true;
        };

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync($"{_server.Address}/model.safetensors"));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(status == 404, error.IsNotFound);
        Assert.Equal(status == 503, error.IsTransient);
    }

    [Fact]
    public async Task A_body_that_breaks_off_is_an_error_and_frees_everything()
    {
        _server.Files["/model.safetensors"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 20_000_000)]);
        _server.Intercept = async context =>
        {
            if (_server.Requests.Count < 4)
            {
                return false;
            }

            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = RangeAnswer(context, _server.Files["/model.safetensors"].Length);
            context.Response.ContentLength = null;
            await context.Response.Body.WriteAsync(new byte[1000]);
            context.Abort();
            return true;
        };
        long tensors = NativeTensors.Count();

        await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync($"{_server.Address}/model.safetensors"));

        NativeTensors.AssertNoneSince(tensors);
    }

    [Fact]
    public async Task Cancelling_a_load_over_HTTP_frees_everything()
    {
        _server.Files["/model.safetensors"] = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 30_000_000)]);
        using var cancel = new CancellationTokenSource();
        _server.Intercept = async context =>
        {
            if (_server.Requests.Count < 4)
            {
                return false;
            }

            // The tensors are allocated, and this range never ends.
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = RangeAnswer(context, _server.Files["/model.safetensors"].Length);
            await context.Response.Body.WriteAsync(new byte[10]);
            await context.Response.Body.FlushAsync();
            await cancel.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return true;
        };
        long tensors = NativeTensors.Count();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => WeightLoader.Default.LoadTensorsAsync($"{_server.Address}/model.safetensors", cancellationToken: cancel.Token));

        NativeTensors.AssertNoneSince(tensors);
    }

    [Fact]
    public async Task User_info_is_sent_as_basic_authentication_and_secrets_reach_no_message()
    {
        string? authorization = null;
        _server.Intercept = context =>
        {
            authorization = context.Request.Headers.Authorization;
            context.Response.StatusCode = 403;
            return Task.FromResult(true);
        };
        string address = _server.Address.Replace("http://", "http://ada:pl%40nted@", StringComparison.Ordinal);

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => LoadAsync($"{address}/model.safetensors?X-Amz-Signature=s3cret&versionId=7"));

        Assert.Equal("Basic " + Convert.ToBase64String("ada:pl@nted"u8), authorization);
        Assert.DoesNotContain("nted", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("versionId=7", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redirect_to_another_origin_is_followed_without_the_credentials()
    {
        await using FileServer other = await FileServer.StartAsync();
        other.Files["/far.safetensors"] = TestFile.Bytes([TestFile.F32("a", [2], 1, 2)]);
        var seen = new List<string?>();
        other.Intercept = context =>
        {
            seen.Add(context.Request.Headers.Authorization);
            return Task.FromResult(false);
        };
        _server.Intercept = context =>
        {
            context.Response.Redirect($"{other.Address}/far.safetensors");
            return Task.FromResult(true);
        };
        string address = _server.Address.Replace("http://", "http://ada:secret@", StringComparison.Ordinal);

        using WeightSet weights = await LoadAsync($"{address}/near.safetensors");

        Assert.Equal(3f, weights["a"].sum().item<float>());
        Assert.Single(_server.Requests);
        Assert.All(seen, Assert.Null);
    }

    [Fact]
    public async Task An_unreachable_server_is_a_transient_error_that_names_the_address()
    {
        string address = _server.Address;
        await _server.DisposeAsync();

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync($"{address}/model.safetensors"));

        Assert.StartsWith(address, error.Message, StringComparison.Ordinal);
        Assert.True(error.IsTransient);
    }

    private static string RangeAnswer(HttpContext context, int length) =>
        $"bytes {context.Request.Headers.Range.ToString()["bytes=".Length..]}/{length}";

    private static Task<WeightSet> LoadAsync(string uri) =>
        WeightLoader.Default.LoadTensorsAsync(uri, cancellationToken: TestContext.Current.CancellationToken);
}
