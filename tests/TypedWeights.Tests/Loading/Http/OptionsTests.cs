using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using TypedWeights.Sources;
using TypedWeights.Sources.Urls;
using static System.StringComparison;

namespace TypedWeights.Tests.Loading.Http;

public sealed class OptionsTests : IAsyncLifetime
{
    private readonly byte[] _bytes = HttpFile.Noise(50_000);
    private readonly ConcurrentQueue<IHeaderDictionary> _seen = new();
    private FileServer _server = null!;

    private string Url => _server.Address + "/f.bin";

    public async ValueTask InitializeAsync()
    {
        _server = await FileServer.StartAsync();
        _server.Intercept = context =>
        {
            _seen.Enqueue(new HeaderDictionary(context.Request.Headers.ToDictionary()));
            return HttpFile.ServeAsync(context, _bytes, "\"a\"");
        };
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_loader_calls_the_authorization_callback_for_each_request()
    {
        byte[] file = TestFile.Bytes([TestFile.Noise("a", "U8", 8, 20_000_000)]);
        int tokens = 0;
        var seen = new ConcurrentBag<string>();
        _server.Intercept = context =>
        {
            seen.Add(context.Request.Headers.Authorization.ToString());
            return HttpFile.ServeAsync(context, file, "\"a\"");
        };
        await using WeightLoader loader = new WeightLoaderBuilder().UseHttp(new HttpOptions
        {
            Authorization = async (url, token) =>
            {
                Assert.Equal(_server.Address + "/m.safetensors?sig=1", url.AbsoluteUri);
                await Task.Yield();
                return new AuthenticationHeaderValue("Bearer", "t" + Interlocked.Increment(ref tokens));
            },
        })
            .Build();

        using WeightSet weights = await loader.LoadTensorsAsync(
            _server.Address + "/m.safetensors?sig=1", cancellationToken: TestContext.Current.CancellationToken);

        Assert.True(seen.Count > 3, $"{seen.Count} requests");
        Assert.Equal(Enumerable.Range(1, seen.Count).Select(i => "Bearer t" + i).Order(), seen.Order());
    }

    [Fact]
    public async Task Custom_headers_are_sent_and_cannot_replace_those_of_the_library()
    {
        await using var provider = new UrlProvider(new HttpOptions
        {
            Headers = (_, headers) =>
            {
                headers.Add("X-Tenant", "blue");
                headers.Add("If-Match", "\"other\"");
                headers.Range = new RangeHeaderValue(5, 6);
                headers.AcceptEncoding.ParseAdd("gzip");
                headers.UserAgent.ParseAdd("mine/1");
            },
            ConfigureHandler = handler => handler.AutomaticDecompression = DecompressionMethods.All,
        });

        await using IWeightSource source = await provider.OpenAsync(Url);
        await source.ReadAsync(100, 100);

        Assert.All(_seen, headers => Assert.Equal(
            ("blue", "identity", "mine/1"),
            (headers["X-Tenant"].ToString(), headers.AcceptEncoding.ToString(), headers.UserAgent.ToString())));
        Assert.Equal(["bytes=0-7", "bytes=100-199"], _seen.Select(headers => headers.Range.ToString()));
        Assert.Equal(["", "\"a\""], _seen.Select(headers => headers.IfMatch.ToString()));
    }

    [Theory]
    [InlineData("blue\r\nX-Evil: 1")]
    [InlineData("bl\0ue")]
    [InlineData("bläue")]
    [InlineData("bl\u007Fue")]
    public async Task A_header_with_characters_that_may_not_be_sent_is_refused_by_name(string value)
    {
        (string Name, HttpOptions Options)[] ways =
        [
            ("X-Tenant", new() { Headers = (_, headers) => headers.TryAddWithoutValidation("X-Tenant", value) }),
            ("Authorization", new() { Headers = (_, headers) => headers.TryAddWithoutValidation("Authorization", value) }),
        ];
        foreach ((string name, HttpOptions options) in ways)
        {
            await using var provider = new UrlProvider(options);

            WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
                () => provider.OpenAsync(_server.Address + "/model.safetensors"));

            Assert.Contains($"the request header {name} contains", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("ue", error.Message.Replace("request", "", StringComparison.Ordinal), StringComparison.Ordinal);
        }

        Assert.Empty(_seen);
    }

    [Fact]
    public async Task Credentials_and_custom_headers_are_not_sent_to_another_origin()
    {
        await using FileServer far = await FileServer.StartAsync();
        var seen = new ConcurrentQueue<string>();
        far.Files["/f.bin"] = _bytes;
        far.Intercept = context =>
        {
            seen.Enqueue(context.Request.Headers.Authorization + "|" + context.Request.Headers["X-Tenant"]);
            return Task.FromResult(false);
        };
        string? near = null;
        _server.Intercept = context =>
        {
            near = context.Request.Headers.Authorization + "|" + context.Request.Headers["X-Tenant"];
            return HttpFile.Redirect(context, far.Address + "/f.bin");
        };
        await using var provider = new UrlProvider(new HttpOptions
        {
            Authorization = (_, _) => new(new AuthenticationHeaderValue("Bearer", "t")),
            Headers = (_, headers) => headers.Add("X-Tenant", "blue"),
        });

        await using IWeightSource source = await provider.OpenAsync(Url);
        await source.ReadAsync(100, 100);

        Assert.Equal("Bearer t|blue", near);
        Assert.Equal(["|", "|"], seen);
    }

    [Fact]
    public async Task User_info_of_the_URL_is_used_instead_of_the_callback()
    {
        await using var provider = new UrlProvider(new HttpOptions
        {
            Authorization = (_, _) => throw new InvalidOperationException("not asked"),
        });

        await using IWeightSource source = await provider.OpenAsync(Url.Replace("http://", "http://ada:x@", Ordinal));

        Assert.StartsWith("Basic ", Assert.Single(_seen).Authorization.ToString(), Ordinal);
    }

    [Theory]
    [InlineData("ada:x", "ada:x")]
    [InlineData("ada:", "ada:")]
    [InlineData("ada", "ada:")]
    [InlineData("a%40b:x%3Ay", "a@b:x:y")]
    public async Task User_info_is_sent_as_a_name_and_a_possibly_empty_password(string userInfo, string login)
    {
        await using var provider = new UrlProvider();

        await using IWeightSource source = await provider.OpenAsync(Url.Replace("http://", $"http://{userInfo}@", Ordinal));

        string sent = Assert.Single(_seen).Authorization.ToString();
        Assert.Equal(login, System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(sent["Basic ".Length..])));
    }

    [Fact]
    public async Task Cookies_are_not_sent_back()
    {
        _server.Intercept = context =>
        {
            _seen.Enqueue(new HeaderDictionary(context.Request.Headers.ToDictionary()));
            context.Response.Headers.SetCookie = "a=b";
            return HttpFile.ServeAsync(context, _bytes, "\"a\"");
        };
        await using var provider = new UrlProvider(
            new HttpOptions { ConfigureHandler = handler => handler.UseCookies = true });

        await using IWeightSource source = await provider.OpenAsync(Url);
        await source.ReadAsync(100, 100);

        Assert.Equal(["", ""], _seen.Select(headers => headers.Cookie.ToString()));
    }

    [Fact]
    public async Task Requests_are_sent_to_the_configured_proxy()
    {
        await using var provider = new UrlProvider(new HttpOptions { Proxy = new WebProxy(_server.Address) });

        await using IWeightSource source = await provider.OpenAsync("http://weights.invalid/f.bin");

        Assert.Equal(_bytes[100..200], await source.ReadAsync(100, 100));
        Assert.All(_seen, headers => Assert.Equal("weights.invalid", headers.Host.ToString()));
    }

    [Theory]
    [InlineData("http", 407, "the proxy requires credentials", false)]
    [InlineData("https", 407, "the proxy requires credentials", false)]
    [InlineData("https", 403, "the proxy refused the connection (403)", false)]
    [InlineData("https", 503, "the proxy refused the connection (503)", true)]
    public async Task A_refusing_proxy_is_an_error_that_does_not_show_its_password(string scheme, int status, string expected, bool isTransient)
    {
        _server.Intercept = context => HttpFile.Status(context, status);
        var proxy = new WebProxy(_server.Address.Replace("http://", "http://ada:s3cret@", Ordinal));
        await using var provider = new UrlProvider(new HttpOptions { Proxy = proxy });

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => provider.OpenAsync(scheme + "://weights.invalid/f.bin"));

        Assert.Contains(expected, error.Message, Ordinal);
        Assert.Equal(isTransient, error.IsTransient);
        Assert.DoesNotContain("s3cret", error.ToString(), Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1", "http", "could not connect to the proxy", true)]
    [InlineData("http://ada:s3cret@127.0.0.1:1", "https", "could not connect to the proxy 127.0.0.1:1", true)]
    [InlineData("http://ada:s3cret@proxy.invalid", "http", "the host name proxy.invalid of the proxy does not resolve", false)]
    [InlineData("http://ada:s3cret@proxy.invalid", "https", "the host name proxy.invalid of the proxy does not resolve", false)]
    [InlineData("ftp://ada:s3cret@127.0.0.1", "http", "the request cannot be made", false)]
    public async Task An_unreachable_proxy_is_an_error_that_blames_the_proxy_and_not_the_host(
        string proxy, string scheme, string expected, bool isTransient)
    {
        await using var provider = new UrlProvider(new HttpOptions { Proxy = new WebProxy(proxy) });

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => provider.OpenAsync(scheme + "://weights.invalid/f.bin"));

        Assert.StartsWith(scheme + "://weights.invalid/f.bin: ", error.Message, Ordinal);
        Assert.Contains(expected, error.Message, Ordinal);
        Assert.Equal(isTransient, error.IsTransient);
        Assert.DoesNotContain("s3cret", error.ToString(), Ordinal);
    }

    [Fact]
    public async Task A_connection_timeout_is_a_transient_error()
    {
        await using var provider = new UrlProvider(new HttpOptions
        {
            ConnectTimeout = TimeSpan.FromMilliseconds(50),
            ConfigureHandler = handler => handler.ConnectCallback = async (_, token) =>
            {
                await Task.Delay(Timeout.Infinite, token);
                return Stream.Null;
            },
        });

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => provider.OpenAsync(Url));

        Assert.True(error.IsTransient);
        Assert.Contains("no connection to the server within the time limit", error.Message, Ordinal);
    }

    [Fact]
    public void A_timeout_too_long_for_a_timer_is_refused_by_the_builder()
    {
        var builder = new WeightLoaderBuilder();

        Assert.Throws<ArgumentOutOfRangeException>(() => builder.UseTransferOptions(new() { StallTimeout = TimeSpan.MaxValue }));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.UseTransferOptions(new() { RetryDelay = TimeSpan.MaxValue }));
        Assert.Throws<ArgumentOutOfRangeException>(() => builder.UseHttp(new() { ConnectTimeout = TimeSpan.MaxValue }));
    }

    [Fact]
    public void A_connect_timeout_of_zero_is_refused_by_the_builder() => Assert.Throws<ArgumentOutOfRangeException>(
        () => new WeightLoaderBuilder().UseHttp(new HttpOptions { ConnectTimeout = TimeSpan.Zero }));
}
