using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Seam;

public sealed class AliasTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public AliasTests() => TestFile.Write(_folder["weights/story/model.safetensors"], NoiseFile.Entries);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("TYPEDWEIGHTS_ALIAS_MODELS", "models://story/model.safetensors")]
    [InlineData("TYPEDWEIGHTS_ALIAS_MODELS", "models://story")]
    [InlineData("ANYSCALE_ARTIFACT_STORAGE", "anyscale://story/model.safetensors")]
    public async Task An_environment_variable_defines_an_alias(string variable, string uri)
    {
        using var alias = new Variables((variable, _folder["weights"] + "/"));
        await AssertLoadsAsync(new WeightLoaderBuilder(), uri);
    }

    [Fact]
    public async Task A_builder_defines_an_alias_that_leads_to_another_alias()
    {
        using var alias = new Variables(("ANYSCALE_ARTIFACT_STORAGE", "file://" + _folder["weights"]));
        await AssertLoadsAsync(new WeightLoaderBuilder().UseAlias("models", "anyscale://story"), "models://model.safetensors");
    }

    [Fact]
    public async Task The_query_of_an_alias_target_is_kept_after_the_path()
    {
        await using FileServer server = await FileServer.StartAsync();
        server.Files["/weights/story/model.safetensors"] = NoiseFile.Bytes;
        string? asked = null;
        server.Intercept = context =>
        {
            asked = context.Request.QueryString.Value;
            return Task.FromResult(false);
        };
        await AssertLoadsAsync(
            new WeightLoaderBuilder().UseAlias("models", server.Address + "/weights?sig=s3cret"), "models://story/model.safetensors?versionId=7");
        Assert.Equal("?sig=s3cret&versionId=7", asked);
    }

    [Fact]
    public async Task An_error_shows_the_alias_and_its_target_without_secrets()
    {
        await using FileServer server = await FileServer.StartAsync();
        string message = await ErrorAsync(
            new WeightLoaderBuilder().UseAlias("models", server.Address + "/weights?sig=s3cret"), "models://absent.safetensors");
        Assert.StartsWith($"models://absent.safetensors → {server.Address}/weights/absent.safetensors: ", message, StringComparison.Ordinal);
        Assert.Contains("no such file", message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_circle_of_aliases_and_a_missing_variable_are_errors()
    {
        Assert.Contains(
            "circle: a:// → b:// → a://".Replace("a:", "aa:", StringComparison.Ordinal).Replace("b:", "bb:", StringComparison.Ordinal),
            await ErrorAsync(new WeightLoaderBuilder().UseAlias("aa", "bb://x").UseAlias("bb", "aa://y"), "aa://z"),
            StringComparison.Ordinal);
        using var none = new Variables(("ANYSCALE_ARTIFACT_STORAGE", null));
        Assert.Contains(
            "set the variable ANYSCALE_ARTIFACT_STORAGE to the location it stands for",
            await ErrorAsync(new WeightLoaderBuilder(), "anyscale://m"),
            StringComparison.Ordinal);
        Assert.Contains("TYPEDWEIGHTS_ALIAS_MY_MODELS", await ErrorAsync(new WeightLoaderBuilder(), "my-models://m"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_variable_cannot_replace_a_scheme_that_a_store_serves()
    {
        using var alias = new Variables(("TYPEDWEIGHTS_ALIAS_HTTP", "/nowhere"));
        await using FileServer server = await FileServer.StartAsync();
        server.Files["/model.safetensors"] = NoiseFile.Bytes;
        await AssertLoadsAsync(new WeightLoaderBuilder(), server.Address + "/model.safetensors");
        Assert.Throws<ArgumentException>(() => new WeightLoaderBuilder().UseAlias("no scheme", "/x"));
    }

    [Theory]
    [InlineData("http")]
    [InlineData("hf")]
    [InlineData("s3")]
    public void A_builder_refuses_an_alias_for_a_scheme_that_a_store_serves(string scheme)
    {
        WeightLoaderBuilder builder = new WeightLoaderBuilder().UseAlias(scheme, "/x");
        Assert.StartsWith(scheme + ":// is served by a store", Assert.Throws<ArgumentException>(builder.Build).Message, StringComparison.Ordinal);
    }

    private static async Task AssertLoadsAsync(WeightLoaderBuilder builder, string uri)
    {
        await using WeightLoader loader = builder.Build();
        using WeightSet weights = await loader.LoadTensorsAsync(uri, cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }

    private static async Task<string> ErrorAsync(WeightLoaderBuilder builder, string uri)
    {
        await using WeightLoader loader = builder.Build();
        return (await Assert.ThrowsAsync<WeightSourceException>(
            () => loader.LoadTensorsAsync(uri, cancellationToken: TestContext.Current.CancellationToken))).Message;
    }
}
