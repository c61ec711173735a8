using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Amazon.Runtime;
using Microsoft.AspNetCore.Http;
using TypedWeights.Opening;
using TypedWeights.Sources;
using TypedWeights.Tests.Loading.Faults;
using TypedWeights.Transfer.Retry;

namespace TypedWeights.Tests.Stores.S3;

/// <summary>
/// What only Amazon answers and Ceph does not: another region, a bucket whose reader pays. A stand-in (Kestrel)
/// answers as Amazon documents it; it checks no signatures, which Ceph does.
/// </summary>
public sealed class S3StandInTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<IHeaderDictionary> _seen = new();
    private FileServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FileServer.StartAsync();
        _server.Files["/bucket/model.safetensors"] = NoiseFile.Bytes;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(301, "PermanentRedirect", true)]
    [InlineData(400, "AuthorizationHeaderMalformed", false)]
    public async Task A_bucket_in_another_region_is_requested_in_that_region(int status, string code, bool inHeader)
    {
        Answer(context => Authorization(context).Contains("/eu-west-1/s3/", StringComparison.Ordinal)
            ? null
            : new Refusal(status, code, inHeader ? "" : "<Region>eu-west-1</Region>", inHeader ? ("x-amz-bucket-region", "eu-west-1") : null));
        await AssertLoadsAsync(new() { Region = "us-east-1" });
        Assert.Single(_seen, headers => headers.Authorization.ToString().Contains("/us-east-1/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wrong_region_is_an_error_that_names_the_region_of_the_bucket()
    {
        Answer(_ => new Refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>", null));
        Assert.Contains("the bucket is in eu-west-1", (await ErrorAsync(new() { Region = "us-east-1" })).Message, StringComparison.Ordinal);
        Answer(_ => new Refusal(301, "PermanentRedirect", "", null));
        Assert.Contains("is not in us-east-1", (await ErrorAsync(new() { Region = "us-east-1" })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_signed_request_says_that_the_requester_pays()
    {
        Answer(context => context.Request.Headers["x-amz-request-payer"] == "requester"
            && Regex.IsMatch(Authorization(context), "SignedHeaders=[^,]*x-amz-request-payer") ? null : new Refusal(403, "AccessDenied", "", null));
        Assert.Contains("AccessDenied", (await ErrorAsync(new())).Message, StringComparison.Ordinal);
        await AssertLoadsAsync(new() { RequesterPays = true });
    }

    [Fact]
    public async Task A_folder_whose_pinned_version_was_deleted_is_an_error_that_names_the_version()
    {
        Answer(context => context.Request.Query.ContainsKey("versionId")
            ? new Refusal(404, "NoSuchVersion", "", null)
            : new Refusal(404, "NoSuchKey", "", null));
        var builder = new SourceRegistryBuilder();
        builder.UseS3(new() { Endpoint = new Uri(_server.Address), Credentials = new BasicAWSCredentials("KEY", "s3cret") });
        await using SourceRegistry registry = builder.Build(new TransferContext());
        var pins = new WeightPins(null, new Dictionary<string, string> { ["model.safetensors"] = "v7" });
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => registry.LocateAsync(
                WeightUri.Parse("s3://bucket/folder"), pins, cache: null, registry.Context, TestContext.Current.CancellationToken).AsTask());
        Assert.Contains("no version v7 of this key", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsNotFound);
    }

    [Fact]
    public async Task An_access_error_names_the_key_and_its_origin_and_not_its_secret()
    {
        Answer(_ => new Refusal(403, "AccessDenied", "", null));
        string message = (await ErrorAsync(new())).Message;
        Assert.Contains("the key KEY of S3Options.Credentials (BasicAWSCredentials) needs s3:GetObject", message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_body_that_is_not_from_S3_leaves_the_general_message()
    {
        _server.Intercept = context =>
        {
            context.Response.StatusCode = 403;
            return context.Response.WriteAsync("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Error><Code>&x;</Code></Error>")
                .ContinueWith(_ => true);
        };
        Assert.Contains("access was denied (403)", (await ErrorAsync(new())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(403, Body.Cut)]
    [InlineData(400, Body.Cut)]
    [InlineData(403, Body.TooLong)]
    [InlineData(400, Body.TooLong)]
    [InlineData(403, Body.Silent)]
    public async Task An_error_response_with_an_incomplete_body_is_reported_by_its_status(int status, Body body)
    {
        _server.Intercept = async context =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentLength = body == Body.TooLong ? null : 100;
            await context.Response.WriteAsync(body == Body.TooLong ? new string('x', 1 << 20) : "<Error>");
            await context.Response.Body.FlushAsync();
            if (body == Body.Silent)
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            }

            // Of the body that was cut, fewer bytes came than were announced: the connection is closed behind them.
            return true;
        };

        Assert.Contains($"{status}", (await ErrorAsync(new())).Message, StringComparison.Ordinal);
    }

    private static string Authorization(HttpContext context) => context.Request.Headers.Authorization.ToString();

    private void Answer(Func<HttpContext, Refusal?> answer) => _server.Intercept = async context =>
    {
        _seen.Enqueue(new HeaderDictionary(context.Request.Headers.ToDictionary()));
        if (answer(context) is not { } refusal)
        {
            return false;
        }

        context.Response.StatusCode = refusal.Status;
        if (refusal.Header is { } header)
        {
            context.Response.Headers[header.Name] = header.Value;
        }

        await context.Response.WriteAsync($"<?xml version=\"1.0\"?><Error><Code>{refusal.Code}</Code>{refusal.More}</Error>");
        return true;
    };

    private WeightLoader Loader(S3Options options) => new WeightLoaderBuilder()
        .UseS3(options with { Endpoint = new Uri(_server.Address), Credentials = new BasicAWSCredentials("KEY", "s3cret") })
        .Build();

    private async Task AssertLoadsAsync(S3Options options)
    {
        await using WeightLoader loader = Loader(options);
        using WeightSet weights = await loader.LoadTensorsAsync(
            "s3://bucket/model.safetensors", cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }

    private async Task<WeightSourceException> ErrorAsync(S3Options options)
    {
        await using WeightLoader loader = Loader(options);
        return await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync("s3://bucket/model.safetensors", cancellationToken: TestContext.Current.CancellationToken));
    }

    public enum Body
    {
        Cut,
        TooLong,
        Silent,
    }

    private sealed record Refusal(int Status, string Code, string More, (string Name, string Value)? Header);
}
