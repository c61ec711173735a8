using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using TypedWeights.Sources.Urls;

namespace TypedWeights.Tests.Loading.Http;

/// <summary>A server that repeats what it was sent gets none of it into an error.</summary>
public sealed class EchoedSecretTests : IAsyncLifetime
{
    private const string Password = "Tr0ub4dor+3/x y";

    private FileServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await FileServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    public enum Place
    {
        Reason,
        PassingReason,
        Encoding,
        Redirect,
    }

    [Theory]
    [InlineData(Place.Reason)]
    [InlineData(Place.PassingReason)]
    [InlineData(Place.Encoding)]
    [InlineData(Place.Redirect)]
    public async Task Secrets_that_a_server_repeats_from_the_request_are_in_no_error(Place place)
    {
        string basic = Convert.ToBase64String(Encoding.UTF8.GetBytes("ada:" + Password));
        string login = $"ada:{Uri.EscapeDataString(Password)}@";
        await FailAsync(place, new HttpOptions(), login, "sig=q%2bUeRy%3dS1gn4ture", basic, Password, "q+UeRy=S1gn4ture");
        await FailAsync(
            place,
            new HttpOptions
            {
                Authorization = (_, _) => new(new AuthenticationHeaderValue("Bearer", "hf_T0kenT0kenT0ken")),
                Headers = (_, headers) => headers.Add("X-Api-Key", "k3y-k3y-k3y"),
            },
            "",
            "access_token=q5uery5ecret",
            "hf_T0kenT0kenT0ken",
            "k3y-k3y-k3y",
            "q5uery5ecret");
    }

    [Theory]
    [InlineData("m.safetensors.index.json", "{\"weight_map\":{\"KEY\":7}}")]
    [InlineData("m.safetensors.index.json", "{\"weight_map\":{\"a\":\"../KEY\"}}")]
    [InlineData("m.safetensors.index.json", "{\"weight_map\":{\"KEY\":\"a\",\"KEY\":\"b\"}}")]
    [InlineData("m.safetensors", "{\"KEY\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}")]
    [InlineData("m.safetensors", "{\"a\":{\"dtype\":\"KEY\",\"shape\":[1],\"data_offsets\":[0,4]}}")]
    public async Task Secrets_that_a_file_repeats_from_the_request_are_in_no_error(string name, string text)
    {
        _server.Intercept = async context =>
        {
            byte[] body = Encoding.UTF8.GetBytes(text.Replace("KEY", context.Request.Headers["X-Api-Key"], StringComparison.Ordinal));
            bool isIndex = name.EndsWith(".json", StringComparison.Ordinal);
            byte[] file = isIndex ? body : [.. BitConverter.GetBytes((long)body.Length), .. body, 0, 0, 0, 0];
            return await HttpFile.ServeAsync(context, file, "\"a\"");
        };
        await using WeightLoader loader = new WeightLoaderBuilder()
            .UseHttp(new HttpOptions { Headers = (_, headers) => headers.Add("X-Api-Key", "k3yk3yk3yk3y") }).Build();

        SafeTensorsFormatException error = await Assert.ThrowsAsync<SafeTensorsFormatException>(
            () => loader.LoadTensorsAsync(_server.Address + "/" + name, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("***", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("k3yk3y", error.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("http://T0kenT0kenT0ken.invalid/")]
    [InlineData("http://t0kent0ken.invalid/")]
    [InlineData("http://OTHER/T0kenT0kenT0ken")]
    [InlineData("http://OTHER/on?x=T0kenT0kenT0ken")]
    public async Task Secrets_that_a_redirect_carries_to_another_server_are_in_no_error(string location)
    {
        await using FileServer other = await FileServer.StartAsync();
        other.Intercept = context =>
        {
            string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
            context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = $"no {target} T0kenT0kenT0ken";
            return HttpFile.Status(context, 418);
        };
        _server.Intercept = context => HttpFile.Redirect(
            context,
            location.Replace("OTHER", other.Address["http://".Length..], StringComparison.Ordinal));
        await using var provider = new UrlProvider(
            new HttpOptions { Authorization = (_, _) => new(new AuthenticationHeaderValue("Bearer", "T0kenT0kenT0ken")) });

        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => provider.OpenAsync(_server.Address + "/f.bin"));

        Assert.Contains("***", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("t0ken", error.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    private async Task FailAsync(Place place, HttpOptions options, string login, string query, params string[] secrets)
    {
        foreach (Func<string, string> spell in Spellings)
        {
            _server.Intercept = context =>
            {
                string all = context.Request.Headers.Authorization + " " + context.Request.Headers["X-Api-Key"] + " "
                    + context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget + " " + string.Join(' ', secrets);
                return AnswerAsync(context, place, spell(all));
            };
            await using var provider = new UrlProvider(options);
            string url = _server.Address.Replace("://", "://" + login, StringComparison.Ordinal) + "/f.bin?" + query;

            WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => provider.OpenAsync(url));

            // With its causes: whoever logs an error prints them too.
            string shown = Letters(error.ToString());
            Assert.All(secrets, secret => Assert.DoesNotContain(Letters(secret), shown, StringComparison.OrdinalIgnoreCase));
            Assert.All(secrets, secret => Assert.DoesNotContain(Letters(spell(secret)), shown, StringComparison.OrdinalIgnoreCase));
        }
    }

    private static readonly Func<string, string>[] Spellings =
    [
        static text => text,
        static text => text.ToUpperInvariant(),
        Uri.EscapeDataString,
        static text => Uri.EscapeDataString(Uri.EscapeDataString(text)),
        WebUtility.HtmlEncode,
        static text => text.Replace("/", "\\/", StringComparison.Ordinal).Replace("+", "\\u002B", StringComparison.Ordinal),
        static text => text.Replace(' ', '-').Replace("=", "", StringComparison.Ordinal).Replace('+', '_'),
        static text => string.Join('.', text.ToCharArray()),
        static text => new string('x', 150) + text,
        static text => text[..^4],
    ];

    private static Task<bool> AnswerAsync(HttpContext context, Place place, string text)
    {
        string header = new([.. text.Where(static c => c is >= ' ' and <= '~')]);
        switch (place)
        {
            case Place.Reason:
                context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = "no " + header;
                return HttpFile.Status(context, 418);
            case Place.PassingReason:
                context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = header;
                return HttpFile.Status(context, 503);
            case Place.Encoding:
                context.Response.Headers.ContentEncoding = new string([.. header.Where(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '%')]);
                context.Response.Headers.ContentRange = "bytes 0-7/8";
                return HttpFile.Status(context, 206);
            default:
                string scheme = new([.. header.Where(char.IsAsciiLetterOrDigit)]);
                return HttpFile.Redirect(context, "x" + scheme + "://host/");
        }
    }

    private static string Letters(string text) => new([.. text.Where(char.IsAsciiLetterOrDigit)]);
}
