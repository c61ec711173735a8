using System.Net;
using System.Text;
using TypedWeights.Sources.Http;
using TypedWeights.Tests.Loading;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Hub;

/// <summary>A hub that cannot be reached, that is not to be asked, or that is asked too often.</summary>
public sealed class HubReachTests : IDisposable
{
    private const string Commit = HubFixture.Commit;

    private readonly TempFolder _home = new();
    private readonly LineLogger _log = new();
    private readonly Variables _variables;

    // The machine's own login and cache stay out of it.
    public HubReachTests() => _variables = new Variables(
        ("HF_HOME", _home.Path), ("HF_TOKEN", null), ("HUGGING_FACE_HUB_TOKEN", null), ("HF_TOKEN_PATH", null), ("HF_ENDPOINT", null),
        ("HF_HUB_OFFLINE", null), ("TRANSFORMERS_OFFLINE", null), ("HF_HUB_CACHE", null), ("HUGGINGFACE_HUB_CACHE", null));

    public void Dispose()
    {
        _variables.Dispose();
        _home.Dispose();
    }

    [Theory]
    [InlineData("hf://org/model")]
    [InlineData("hf://org/model@v1")]
    [InlineData("hf://org/model@main/model.safetensors")]
    public async Task The_cache_of_the_hub_tools_is_used_with_a_warning_when_the_hub_is_unreachable(string uri)
    {
        Keep(_home["hub"], "main", "v1");
        using WeightSet weights = await LoadAsync(uri, new Uri($"http://127.0.0.1:{FreePort.Find()}"));
        NoiseFile.AssertIn(weights);
        Assert.Equal(Commit, weights.Revision);
        string warning = Assert.Single(_log.Warnings);
        Assert.Contains("the hub cannot be reached", warning, StringComparison.Ordinal);
        Assert.Contains(_home["hub"], warning, StringComparison.Ordinal);
        Assert.Contains(Commit, warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_name_that_does_not_resolve_counts_as_an_unreachable_hub()
    {
        Keep(_home["hub"], "main");
        using WeightSet weights = await LoadAsync("hf://org/model", new Uri("http://hub.invalid"));
        NoiseFile.AssertIn(weights);
        Assert.Single(_log.Warnings);
    }

    [Fact]
    public async Task A_404_without_an_error_code_mentions_the_missing_token()
    {
        await using FileServer server = await FileServer.StartAsync();
        server.Intercept = static context =>
        {
            context.Response.StatusCode = 404;
            return Task.FromResult(true);
        };
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync("hf://org/model", new Uri(server.Address)));
        Assert.True(error.IsNotFound);
        Assert.Contains("or the repository is private and nobody may see it without a token (HF_TOKEN)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(429)]
    public async Task A_hub_that_sends_an_error_response_does_not_count_as_unreachable(int status)
    {
        Keep(_home["hub"], "main");
        await using FileServer server = await FileServer.StartAsync();
        server.Intercept = context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers["RateLimit"] = "\"api\";r=0;t=0";
            return Task.FromResult(true);
        };
        await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync("hf://org/model", new Uri(server.Address)));
        Assert.DoesNotContain(_log.Warnings, static line => line.Contains("cannot be reached", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_unreachable_hub_is_an_error_when_no_whole_model_is_in_its_cache()
    {
        Keep(_home["hub"], "v1");
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => LoadAsync("hf://org/model", new Uri($"http://127.0.0.1:{FreePort.Find()}")));
        Assert.True(error.IsTransient);
        Assert.Contains("no connection to the server", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TRANSFORMERS_OFFLINE", "HF_HUB_CACHE")]
    [InlineData("HF_HUB_OFFLINE", "HUGGINGFACE_HUB_CACHE")]
    public async Task The_offline_and_cache_variables_of_the_hub_tools_are_respected(string offline, string cache)
    {
        using var variables = new Variables((offline, "1"), (cache, _home["elsewhere"]));
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync("hf://org/model", null));
        Assert.Contains($"{offline} is set, but {_home["elsewhere"]} does not contain the whole model", error.Message, StringComparison.Ordinal);
        Assert.False(error.IsNotFound);

        Keep(_home["elsewhere"], "main");
        using WeightSet weights = await LoadAsync("hf://org/model", null);
        NoiseFile.AssertIn(weights);
    }

    [Fact]
    public async Task The_first_of_two_variables_wins_even_when_its_value_is_0()
    {
        using var variables = new Variables(
            ("HF_HUB_OFFLINE", "0"), ("TRANSFORMERS_OFFLINE", "1"), ("HF_HUB_CACHE", _home["first"]), ("HUGGINGFACE_HUB_CACHE", _home["second"]));
        Keep(_home["second"], "main");
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(
            () => LoadAsync("hf://org/model", new Uri($"http://127.0.0.1:{FreePort.Find()}")));
        Assert.Contains("no connection to the server", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("~/hub")]
    [InlineData("~")]
    public void A_tilde_in_HF_HUB_CACHE_means_the_home_folder_of_the_user(string text)
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var settings = new Sources.HuggingFace.HubSettings(new HuggingFaceOptions(), name => name == "HF_HUB_CACHE" ? text : null);
        Assert.Equal(home + text[1..], settings.CacheFolder);
    }

    [Fact]
    public async Task A_rate_limit_that_is_longer_than_a_load_waits_is_an_error_after_one_request()
    {
        await using FileServer server = await FileServer.StartAsync();
        int asked = 0;
        server.Intercept = context =>
        {
            if (Interlocked.Increment(ref asked) > 1)
            {
                return Task.FromResult(false);
            }

            context.Response.StatusCode = 429;
            context.Response.Headers["RateLimit"] = "\"api\";r=0;t=3600";
            return Task.FromResult(true);
        };
        WeightSourceException error = await Assert.ThrowsAsync<WeightSourceException>(() => LoadAsync("hf://org/model", new Uri(server.Address)));
        Assert.Contains("requests a wait of 3600 s", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, asked);
    }

    [Theory]
    [InlineData("RateLimit", "\"api\";r=0;t=55", 55)]
    [InlineData("RateLimit", "\"pages\";r=12;t=300, \"api\";r=0;t=55", 55)]
    [InlineData("RateLimit", "\"api\"; T=7 ;R=0", 7)]
    [InlineData("RateLimit", "limit=100, remaining=0, reset=9", 9)]
    [InlineData("RateLimit-Reset", "30", 30)]
    [InlineData("RateLimit", "\"api\";r=99999999999999999999999;t=300, \"api\";r=0;t=55", 55)]
    [InlineData("RateLimit", "\"api\";r=0;t=99999999999999999999999", 1_000_000_000)]
    [InlineData("RateLimit", "limit=100, remaining=0, reset=99999999999999999999999", 1_000_000_000)]
    [InlineData("RateLimit-Reset", "99999999999999999999999", 1_000_000_000)]
    [InlineData("RateLimit-Reset", "999999999999", 1_000_000_000)]
    [InlineData("RateLimit", "\"api\";r=0", null)]
    [InlineData("RateLimit", "\"api\";r=0;t=-5", null)]
    [InlineData("RateLimit-Reset", "soon", null)]
    [InlineData("X-Other", "1", null)]
    public void The_reset_time_is_read_from_the_rate_limit_headers(string name, string value, int? seconds)
    {
        using var answer = new HttpResponseMessage(HttpStatusCode.TooManyRequests);
        answer.Headers.TryAddWithoutValidation(name, value);
        Assert.Equal(seconds is { } expected ? TimeSpan.FromSeconds(expected) : null, RateLimit.ResetOf(answer));
    }

    [Fact]
    public async Task A_branch_name_with_a_slash_is_sent_escaped()
    {
        await using FileServer server = await FileServer.StartAsync();
        var paths = new List<string>();
        server.Intercept = context =>
        {
            paths.Add(context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget);
            return Task.FromResult(false);
        };
        server.Files["/api/models/org/model/revision/feature/new"] = Encoding.UTF8.GetBytes(
            $$"""{"sha": "{{Commit}}", "siblings": [{"rfilename": "model.safetensors"}]}""");
        server.Files["/api/models/org/model/revision/feature%2Fnew"] = server.Files["/api/models/org/model/revision/feature/new"];
        server.Files[$"/org/model/resolve/{Commit}/model.safetensors"] = NoiseFile.Bytes;
        using WeightSet weights = await LoadAsync("hf://org/model@feature%2Fnew/model.safetensors", new Uri(server.Address));
        NoiseFile.AssertIn(weights);
        Assert.Equal("/api/models/org/model/revision/feature%2Fnew", paths[0]);
    }

    private static void Keep(string cache, params string[] revisions)
    {
        string repository = Path.Combine(cache, "models--org--model");
        string snapshot = Path.Combine(repository, "snapshots", Commit);
        Directory.CreateDirectory(Path.Combine(repository, "refs"));
        Directory.CreateDirectory(snapshot);
        File.WriteAllBytes(Path.Combine(snapshot, NoiseFile.Name), NoiseFile.Bytes);
        foreach (string revision in revisions)
        {
            File.WriteAllText(Path.Combine(repository, "refs", revision), Commit);
        }
    }

    private async Task<WeightSet> LoadAsync(string uri, Uri? endpoint)
    {
        await using WeightLoader loader = new WeightLoaderBuilder()
            .UseLogging(_log)
            .UseTransferOptions(new() { Attempts = 3, RetryDelay = TimeSpan.FromMilliseconds(10) })
            .UseHuggingFace(new() { Endpoint = endpoint })
            .Build();
        return await loader.LoadTensorsAsync(uri, cancellationToken: TestContext.Current.CancellationToken);
    }
}
