using System.Collections.Concurrent;

namespace TypedWeights.Tests.Loading.Faults;

/// <summary>From the address that was given to the one that has the bytes, and back there when that one has expired.</summary>
public sealed class RedirectTests : FaultTest
{
    private const string Signed = "/signed/blob";
    private FaultServer _store = null!;

    private string Start => $"{Server.Address}/start.safetensors";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _store = await FaultServer.StartAsync();
        _store.Files[Signed] = ServedFile.Strong(NoiseFile.Bytes);
    }

    public override async ValueTask DisposeAsync()
    {
        await _store.WaitUntilDisconnectedAsync();
        await _store.DisposeAsync();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_redirect_is_resolved_once_and_every_later_request_goes_to_its_target()
    {
        Server.Answer = _ => Respond.Redirect($"{_store.Address}{Signed}?sig=1");

        await AssertLoadsAsync(uri: Start);

        Assert.Single(Server.Requests);
        Assert.All(_store.Requests, request => Assert.Equal(Signed + "?sig=1", request.Path));
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

    [Fact]
    public async Task Credentials_are_sent_after_a_redirect_within_the_origin()
    {
        Server.Answer = request => request.Path == "/start.safetensors" ? Respond.Redirect($"/{NoiseFile.Name}") : null;

        await AssertLoadsAsync(uri: Start.Replace("http://", "http://ada:secret@", StringComparison.Ordinal));

        Assert.All(Server.Requests, request => Assert.NotNull(request.Authorization));
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
    public async Task A_signed_address_that_is_refused_right_after_its_renewal_is_an_error()
    {
        Server.Answer = _ => Respond.Redirect($"{_store.Address}{Signed}?sig=secret");
        _store.Answer = request => request.IsPayload ? Respond.Status(403) : null;

        WeightSourceException error = await AssertFailsAsync("403", uri: Start);

        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
        Assert.InRange(Server.Requests.Count, 2, 20);
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

    [Fact]
    public async Task A_redirect_loop_is_an_error_that_is_not_transient()
    {
        Server.Answer = request => Respond.Redirect(request.Path == "/a" ? "/b" : "/a");

        WeightSourceException error = await AssertFailsAsync("redirect", uri: $"{Server.Address}/a");

        Assert.False(error.IsTransient);
        Assert.InRange(Server.Requests.Count, 2, 30);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("")]
    public async Task A_redirect_to_an_unusable_address_is_an_error(string target)
    {
        Server.Answer = _ => Respond.Redirect(target);

        await AssertFailsAsync("redirect", uri: Start);
    }
}
