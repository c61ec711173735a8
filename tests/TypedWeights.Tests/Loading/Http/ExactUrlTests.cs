using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using TypedWeights.Sources;
using TypedWeights.Sources.Http;
using TypedWeights.Sources.Urls;

namespace TypedWeights.Tests.Loading.Http;

public sealed class ExactUrlTests : IAsyncLifetime
{
    private readonly byte[] _bytes = HttpFile.Noise(8000);
    private readonly ConcurrentQueue<string> _targets = new();
    private readonly UrlProvider _provider = new();
    private FileServer _server = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Targets =>
    [
        "/f.bin?sig=%7e%41%2b%aa%AA",
        "/%7euser/%41/f.bin",
        "/a/./b/../c//f.bin?x=1",
        "/f.bin?x='(a)*!|{}^`\"<>\\&y=a+b%20c",
        "/f.bin?",
        "/%e6%a8%a1%E5%9E%8B.bin?sig=a%2fb",
    ];

    public async ValueTask InitializeAsync()
    {
        _server = await FileServer.StartAsync();
        _server.Intercept = context =>
        {
            string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
            _targets.Enqueue(target);
            return target.StartsWith("/to?", StringComparison.Ordinal)
                ? HttpFile.Redirect(context, Uri.UnescapeDataString(target[4..]))
                : HttpFile.ServeAsync(context, _bytes, "\"a\"");
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _provider.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task A_URL_is_sent_exactly_as_given(string target)
    {
        await using IWeightSource source = await _provider.OpenAsync(_server.Address + target);

        Assert.Equal([target], _targets);
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task The_target_of_a_redirect_is_sent_exactly_as_given(string target)
    {
        foreach (string location in (string[])[_server.Address + target, target])
        {
            _targets.Clear();
            await using IWeightSource source = await _provider.OpenAsync($"{_server.Address}/to?{Uri.EscapeDataString(location)}");

            Assert.Equal(target, _targets.Last());
        }
    }

    [Theory]
    [InlineData("/a/b/to", "c?x=%7e", "/a/b/c?x=%7e")]
    [InlineData("/a/b/to", "./c", "/a/b/c")]
    [InlineData("/a/b/to", "../c%2f", "/a/c%2f")]
    [InlineData("/a/to", "../../c", "/c")]
    [InlineData("/a/to", "?y=1", "/a/to?y=1")]
    [InlineData("/a/to?x=1", "/c#part", "/c")]
    public void A_relative_redirect_resolves_as_the_standard_says(string from, string location, string expected) => Assert.Equal(
        "http://h:8080" + expected, ExactUri.Resolve(ExactUri.Read("http://h:8080" + from)!, location)!.AbsoluteUri);

    [Theory]
    [InlineData("/größe.bin", "/gr%C3%B6%C3%9Fe.bin")]
    [InlineData("/a b.bin?x=c d", "/a%20b.bin?x=c%20d")]
    public async Task Characters_that_a_request_may_not_contain_are_escaped(string given, string expected)
    {
        await using IWeightSource source = await _provider.OpenAsync(_server.Address + given);

        Assert.Equal([expected], _targets);
    }

    [Theory]
    [InlineData("/caf\u00E9.bin", "/caf%E9.bin")]
    [InlineData("/caf\u00C3\u00A9.bin", "/caf%C3%A9.bin")]
    [InlineData("/\u00E6\u00A8\u00A1.bin?x=\u00C3\u00BF", "/%E6%A8%A1.bin?x=%C3%BF")]
    public async Task The_non_ASCII_bytes_of_a_redirect_target_are_escaped_byte_for_byte(string bytes, string expected)
    {
        var targets = new ConcurrentQueue<string>();
        await using var server = new RawServer(_bytes);
        server.Answer = async (connection, token) =>
        {
            targets.Enqueue(connection.Request.Split(' ')[1]);
            if (targets.Count > 1)
            {
                return false;
            }

            await connection.SendAsync(
                Encoding.Latin1.GetBytes($"HTTP/1.1 302 Found\r\nLocation: {bytes}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), token);
            return true;
        };

        await using IWeightSource source = await _provider.OpenAsync(server.Address + "/to");

        Assert.Equal(["/to", expected], targets);
    }

    [Fact]
    public async Task Files_beside_an_entry_are_requested_with_its_exact_path_and_query()
    {
        IWeightLocation location = await _provider.LocateAsync(
            WeightUri.Parse(_server.Address.Replace("://", "://ada:x@", StringComparison.Ordinal) + "/%7eu/m.safetensors?sig=%7e%2b"), Token);

        await using IWeightSource source = await location.OpenAsync("a b/c.safetensors", Token);

        Assert.Equal(["/%7eu/a%20b/c.safetensors?sig=%7e%2b"], _targets);
    }

    [Fact]
    public async Task A_URL_without_a_path_looks_for_the_entry_at_the_root()
    {
        IWeightLocation location = await _provider.LocateAsync(WeightUri.Parse(_server.Address + "?x=%7e"), Token);

        Assert.Equal("model.safetensors.index.json", location.EntryName);
        Assert.Equal(["/model.safetensors.index.json?x=%7e"], _targets);
    }
}
