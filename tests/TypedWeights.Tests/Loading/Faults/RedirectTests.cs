using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using TypedWeights.Sources;
using TypedWeights.Sources.Urls;
using TypedWeights.Tests.Loading.Http;
using static System.StringComparison;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>Requests follow redirects to the address that has the bytes, and return to the given address when that one has expired.</summary>
public sealed class RedirectTests : FaultTest
{
    private const string Signed = "/signed/blob";

    private readonly byte[] _bytes = HttpFile.Noise(80_000);
    private readonly UrlProvider _provider = new();
    private FaultServer _store = null!;
    private FileServer _near = null!;
    private FileServer _far = null!;

    private string Start => $"{Server.Address}/start.safetensors";

    private string Url => _near.Address + "/f.bin";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _store = await FaultServer.StartAsync();
        _store.Files[Signed] = ServedFile.Strong(NoiseFile.Bytes);
        _near = await FileServer.StartAsync();
        _far = await FileServer.StartAsync();
        _far.Files["/far.bin"] = _bytes;
    }

    public override async ValueTask DisposeAsync()
    {
        await _provider.DisposeAsync();
        await _near.DisposeAsync();
        await _far.DisposeAsync();
        await _store.WaitUntilDisconnectedAsync();
        await _store.DisposeAsync();
        await base.DisposeAsync();
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_resolved_once_and_its_target_is_kept(int status)
    {
        _near.Intercept = context => HttpFile.Redirect(
            context, context.Request.Path == "/f.bin" ? "/two%2F.bin?x=1" : _far.Address + "/far.bin?sig=1", status);

        await using IWeightSource source = await _provider.OpenAsync(Url);
        byte[] bytes = await source.ReadAsync(100, 500);

        Assert.Equal(_bytes[100..600], bytes);
        Assert.Equal(["/f.bin", "/two%2F.bin"], _near.Requests.Select(request => request.Path));
        Assert.Equal(["bytes=0-7", "bytes=100-599"], _far.Requests.Select(request => request.Range));
        Assert.Matches("^\"[0-9A-F]{16}\"$", source.Validator);
        Assert.Equal(Url, source.Display);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(410)]
    public async Task Only_one_of_the_parallel_requests_renews_an_expired_signed_address(int status)
    {
        int signature = 1;
        _near.Intercept = context => HttpFile.Redirect(context, $"{_far.Address}/far.bin?sig={signature}");
        _far.Intercept = context => context.Request.Query["sig"] == signature.ToString()
            ? Task.FromResult(false)
            : HttpFile.Status(context, status);
        await using IWeightSource source = await _provider.OpenAsync(Url);
        signature = 2;

        byte[][] parts = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => source.ReadAsync(i * 10_000, 10_000)));

        Assert.Equal(_bytes, parts.SelectMany(part => part));
        Assert.Equal(2, _near.Requests.Count);
    }

    [Fact]
    public async Task A_renewed_address_that_is_refused_is_an_error_that_does_not_show_its_query()
    {
        bool isOpen = true;
        _near.Intercept = context => HttpFile.Redirect(context, $"{_far.Address}/far.bin?sig=s3cret");
        _far.Intercept = context => isOpen ? Task.FromResult(false) : HttpFile.Status(context, 403);
        await using IWeightSource source = await _provider.OpenAsync(Url + "?token=t0ken");
        isOpen = false;

        (_, WeightSourceException error) = await source.ReadToFailureAsync(100, 100);

        Assert.Contains("403", error.Message, Ordinal);
        Assert.False(error.IsTransient);
        Assert.StartsWith(Url + ":", error.Message, Ordinal);
        Assert.DoesNotContain("s3cret", error.ToString(), Ordinal);
        Assert.DoesNotContain("t0ken", error.ToString(), Ordinal);
        Assert.Equal((2, 3), (_near.Requests.Count, _far.Requests.Count));
    }

    [Fact]
    public async Task A_redirect_target_that_is_gone_is_resolved_again_at_the_next_attempt()
    {
        FileServer gone = await FileServer.StartAsync();
        gone.Files["/far.bin"] = _bytes;
        string target = gone.Address;
        _near.Intercept = context => HttpFile.Redirect(context, target + "/far.bin");
        await using IWeightSource source = await _provider.OpenAsync(Url);
        await gone.DisposeAsync();
        target = _far.Address;

        (_, WeightSourceException error) = await source.ReadToFailureAsync(100, 100);
        byte[] bytes = await source.ReadAsync(100, 100);

        Assert.True(error.IsTransient);
        Assert.Equal(_bytes[100..200], bytes);
    }

    [Fact]
    public async Task Parallel_requests_of_a_file_opened_ahead_share_one_resolved_redirect()
    {
        _near.Intercept = context => HttpFile.Redirect(
            context, context.Request.Path == "/f.bin" ? "/hop.bin" : _far.Address + "/far.bin");
        await using IWeightSource source = await _provider.OpenAheadAsync(Url, _bytes.Length);

        byte[][] parts = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => source.ReadAsync(i * 10_000, 10_000)));

        Assert.Equal(_bytes, parts.SelectMany(part => part));
        Assert.Single(_near.Requests, request => request.Path == "/hop.bin");
        Assert.Equal(8, _far.Requests.Count);
    }

    [Theory]
    [InlineData("/f.bin", "in a circle")]
    [InlineData("count", "more than 10 times")]
    [InlineData("ftp://host/f.bin", "to ftp")]
    [InlineData("file:///etc/passwd", "to file")]
    [InlineData(null, "without a valid Location")]
    public async Task A_redirect_in_a_circle_or_to_an_unusable_address_is_an_error(string? location, string expected)
    {
        int hops = 0;
        _near.Intercept = context => HttpFile.Redirect(context, location == "count" ? $"/hop{++hops}?sig=s3cret" : location!);

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => _provider.OpenAsync(Url));

        Assert.Contains(expected, error.Message, Ordinal);
        Assert.False(error.IsTransient);
        Assert.InRange(_near.Requests.Count, 1, 11);
        Assert.DoesNotContain("s3cret", error.ToString(), Ordinal);
    }

    [Fact]
    public async Task Credentials_are_sent_after_a_redirect_within_the_origin()
    {
        var seen = new List<string>();
        _near.Intercept = context =>
        {
            seen.Add(context.Request.Headers.Authorization.ToString());
            return context.Request.Path == "/f.bin"
                ? HttpFile.Redirect(context, "/moved.bin")
                : seen[^1].Length == 0 ? HttpFile.Status(context, 401) : HttpFile.ServeAsync(context, _bytes, "\"a\"");
        };

        await using IWeightSource source = await _provider.OpenAsync(Url.Replace("http://", "http://ada:secret@", Ordinal));
        byte[] bytes = await source.ReadAsync(100, 100);

        Assert.Equal(_bytes[100..200], bytes);
        Assert.Equal(Enumerable.Repeat("Basic " + Convert.ToBase64String("ada:secret"u8), 3), seen);
    }

    [Fact]
    public async Task Credentials_are_not_sent_after_redirects_that_leave_the_origin_and_return()
    {
        string? back = null;
        _near.Intercept = context =>
        {
            back = context.Request.Path == "/back.bin" ? context.Request.Headers.Authorization.ToString() : back;
            return context.Request.Path == "/f.bin"
                ? HttpFile.Redirect(context, _far.Address + "/hop")
                : HttpFile.ServeAsync(context, _bytes, "\"a\"");
        };
        _far.Intercept = context => HttpFile.Redirect(context, _near.Address + "/back.bin");

        await using IWeightSource source = await _provider.OpenAsync(Url.Replace("http://", "http://ada:secret@", Ordinal));

        Assert.Equal("", back);
    }

    [Fact]
    public async Task A_401_of_another_origin_is_an_error_that_mentions_the_redirect()
    {
        _near.Intercept = context => HttpFile.Redirect(context, _far.Address + "/far.bin");
        _far.Intercept = context => HttpFile.Status(context, StatusCodes.Status401Unauthorized);

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => _provider.OpenAsync(Url.Replace("http://", "http://ada:secret@", Ordinal)));

        Assert.Contains("redirected to another origin", error.Message, Ordinal);
        Assert.DoesNotContain(_far.Address, error.Message, Ordinal);
    }

    [Fact]
    public async Task Credentials_are_not_sent_to_another_origin_after_a_redirect()
    {
        Server.Answer = request => request.Path == "/start.safetensors" ? Respond.Redirect("/next")
            : request.Path == "/next" ? Respond.Redirect($"{_store.Address}{Signed}") : null;

        await AssertLoadsAsync(uri: Start.Replace("http://", "http://ada:secret@", StringComparison.Ordinal));

        string basic = "Basic " + Convert.ToBase64String("ada:secret"u8);
        Assert.All(Server.Requests, request => Assert.Equal(basic, request.Authorization));
        Assert.Equal(2, Server.Requests.Count);
        Assert.NotEmpty(_store.Requests);
        Assert.All(_store.Requests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task The_ETag_of_the_file_is_not_sent_to_the_address_that_redirects()
    {
        // To the letter: a redirect has a tag of its own, and no other one matches.
        var tags = new ConcurrentQueue<string>();
        Server.Answer = request =>
        {
            string tag = request.Context.Request.Headers.IfMatch.ToString();
            tags.Enqueue(tag);
            return tag.Length > 0 ? Respond.Status(412) : Respond.Redirect($"{_store.Address}{Signed}?sig=1");
        };
        _store.Answer = request => request.Payload == 5 ? Respond.AbortAfter(0) : null;

        await AssertLoadsAsync(uri: Start);

        // Once at first, and once or more, by those that read side by side, after the target has failed.
        Assert.True(tags.Count > 1, "the redirect was not asked for anew");
        Assert.All(tags, Assert.Empty);
    }

    [Theory]
    [InlineData(403)]
    [InlineData(401)]
    [InlineData(410)]
    public async Task A_signed_address_that_expires_is_requested_again(int status)
    {
        int signatures = 0;
        Server.Answer = _ => Respond.Redirect($"{_store.Address}{Signed}?sig={Interlocked.Increment(ref signatures)}");
        int left = 6;
        _store.Answer = request =>
            request.Path.EndsWith("sig=1", StringComparison.Ordinal) && Interlocked.Decrement(ref left) < 0 ? Respond.Status(status) : null;

        await AssertLoadsAsync(uri: Start);

        Assert.Contains(_store.Requests, request => request.Path.EndsWith("sig=2", StringComparison.Ordinal));

        // Those that were refused side by side need one new address, not one each.
        Assert.InRange(Server.Requests.Count, 2, 3);
    }

    [Fact]
    public async Task Another_file_at_the_renewed_address_is_an_error_that_says_the_file_changed()
    {
        int signatures = 0;
        Server.Answer = _ => Respond.Redirect($"{_store.Address}{(Interlocked.Increment(ref signatures) == 1 ? Signed : "/other")}");
        _store.Files["/other"] = ServedFile.Strong(NoiseFile.OtherBytes);
        _store.Answer = request => request.Payload > 3 && request.Path == Signed ? Respond.Status(403) : null;

        await AssertFailsAsync("replaced|changed", uri: Start);
    }

    [Fact]
    public async Task The_validator_is_that_of_the_redirect_target()
    {
        Server.Answer = _ => request =>
        {
            request.Context.Response.Headers.ETag = "\"of the redirect\"";
            return Respond.Redirect($"{_store.Address}{Signed}")(request);
        };

        await AssertLoadsAsync(uri: Start);

        string tag = _store.Files[Signed].Tag!;
        Assert.All(_store.Requests.Skip(1), request => Assert.Equal(tag, request.IfMatch));
        Assert.All(_store.Requests.Take(1), request => Assert.Null(request.IfMatch));
    }
}
