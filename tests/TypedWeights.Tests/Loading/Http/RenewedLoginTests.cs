using System.Collections.Concurrent;
using System.Net.Http.Headers;
using TypedWeights.Sources;
using TypedWeights.Sources.Urls;

namespace TypedWeights.Tests.Loading.Http;

public sealed class RenewedLoginTests : IAsyncLifetime
{
    private readonly byte[] _bytes = HttpFile.Noise(160_000);
    private readonly ConcurrentQueue<string> _refused = new();
    private FileServer _server = null!;
    private volatile string _valid = "t1";
    private int _status = 401;
    private int _asked;

    private string Url => _server.Address + "/f.bin";

    public async ValueTask InitializeAsync()
    {
        _server = await FileServer.StartAsync();
        _server.Intercept = context =>
        {
            string login = context.Request.Headers.Authorization.ToString();
            if (login == "Bearer " + _valid)
            {
                return HttpFile.ServeAsync(context, _bytes, "\"a\"");
            }

            _refused.Enqueue(login);
            return HttpFile.Status(context, _status);
        };
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task A_read_refused_with_401_or_403_calls_the_callback_once_more(int status)
    {
        _status = status;
        await using UrlProvider provider = Provider(() => Interlocked.Increment(ref _asked) <= 2 ? "t1" : "t2");
        await using IWeightSource source = await provider.OpenAsync(Url);
        _valid = "t2";

        Assert.Equal(_bytes[100..200], await source.ReadAsync(100, 100));

        Assert.Equal((3, 1), (_asked, _refused.Count));
    }

    [Fact]
    public async Task Sixteen_requests_refused_at_once_call_the_callback_once_for_all()
    {
        var all = new TaskCompletionSource();
        int waiting = 0;
        _server.Intercept = async context =>
        {
            if (context.Request.Headers.Authorization == "Bearer t2" || _valid == "t1")
            {
                return await HttpFile.ServeAsync(context, _bytes, "\"a\"");
            }

            // None is refused before all have been sent.
            if (Interlocked.Increment(ref waiting) == 16)
            {
                all.SetResult();
            }

            await all.Task;
            return await HttpFile.Status(context, 401);
        };
        await using UrlProvider provider = Provider(() => Interlocked.Increment(ref _asked) <= 17 ? "t1" : "t2");
        await using IWeightSource source = await provider.OpenAsync(Url);
        _valid = "t2";

        byte[][] parts = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => source.ReadAsync(i * 10_000, 10_000)));

        Assert.Equal(_bytes, parts.SelectMany(part => part));
        Assert.Equal((1 + 16 + 1, 16), (_asked, waiting));
    }

    [Fact]
    public async Task Two_files_of_a_model_refused_at_once_call_the_callback_once_for_both()
    {
        var all = new TaskCompletionSource();
        int waiting = 0;
        await using UrlProvider provider = Provider(() => Interlocked.Increment(ref _asked) <= 4 ? "t1" : "t2");
        IWeightLocation location = await provider.LocateAsync(WeightUri.Parse(_server.Address + "/a.safetensors"), Token);
        await using IWeightSource first = await location.OpenAsync("a.safetensors", Token);
        await using IWeightSource second = await location.OpenAsync("b.safetensors", Token);
        _server.Intercept = async context =>
        {
            if (context.Request.Headers.Authorization == "Bearer t2")
            {
                return await HttpFile.ServeAsync(context, _bytes, "\"a\"");
            }

            if (Interlocked.Increment(ref waiting) == 2)
            {
                all.SetResult();
            }

            await all.Task;
            return await HttpFile.Status(context, 401);
        };

        await Task.WhenAll(first.ReadAsync(100, 100), second.ReadAsync(100, 100));

        Assert.Equal(5, _asked);
    }

    [Fact]
    public async Task A_callback_that_returns_refused_credentials_again_ends_in_an_error()
    {
        await using UrlProvider provider = Provider(() =>
        {
            Interlocked.Increment(ref _asked);
            return "wrong";
        });

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => provider.OpenAsync(Url));

        Assert.Contains("requires credentials (401), or rejected those that were sent", error.Message, StringComparison.Ordinal);
        Assert.Equal((2, 2), (_asked, _refused.Count));
    }

    [Fact]
    public async Task A_refusal_calls_the_headers_callback_that_sets_the_credentials_once_more()
    {
        int asked = 0;
        await using var provider = new UrlProvider(new HttpOptions
        {
            Headers = (_, headers) => headers.TryAddWithoutValidation("Authorization", "Bearer t" + Interlocked.Increment(ref asked)),
        });
        _valid = "t2";

        await using IWeightSource source = await provider.OpenAsync(Url);

        Assert.Equal(160_000, source.Length);
    }

    [Fact]
    public async Task A_refusal_without_a_callback_is_not_retried()
    {
        await using var provider = new UrlProvider();

        await Assert.ThrowsAsync<WeightSourceException>(() => provider.OpenAsync(Url));

        Assert.Single(_refused);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static UrlProvider Provider(Func<string> token) => new(new HttpOptions
    {
        Authorization = async (_, _) =>
        {
            await Task.Yield();
            return new AuthenticationHeaderValue("Bearer", token());
        },
    });
}
