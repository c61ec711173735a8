using Amazon.Runtime;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.S3;

/// <summary>Who may read: the gateway checks every signature.</summary>
public sealed class S3CredentialTests : S3Test
{
    private string Uri => Bucket.Uri("model.safetensors");

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Bucket.PutAsync("model.safetensors", NoiseFile.Bytes);
    }

    [Fact]
    public async Task A_wrong_secret_key_is_an_error_that_names_the_signature()
    {
        Secrets.Add("wr0ng");
        string key = (await Bucket.Keys.GetCredentialsAsync()).AccessKey;
        var error = await AssertFailsAsync(
            "SignatureDoesNotMatch", Uri, Bucket.Options with { Credentials = new BasicAWSCredentials(key, "wr0ng") });
        Assert.False(error.IsTransient);
    }

    [Fact]
    public Task An_unknown_access_key_is_an_error_that_says_so() => AssertFailsAsync(
        "does not know the access key", Uri, Bucket.Options with { Credentials = new BasicAWSCredentials("UNKNOWN0000000000000", "x") });

    [Fact]
    public async Task Without_credentials_only_public_objects_are_read()
    {
        S3Options nobody = Bucket.Options with { Credentials = null, Anonymous = true };
        await AssertFailsAsync("unsigned, as S3Options.Anonymous is set, and the object is not public", Uri, nobody);
        await Bucket.PutAsync("public.safetensors", NoiseFile.Bytes, isPublic: true);
        await AssertLoadsAsync(Bucket.Uri("public.safetensors"), nobody);
    }

    [Fact]
    public async Task Requests_are_unsigned_when_the_credential_chain_finds_nothing()
    {
        using var nothing = NoChain();
        await Bucket.PutAsync("public.safetensors", NoiseFile.Bytes, isPublic: true);
        await AssertLoadsAsync(Bucket.Uri("public.safetensors"), new S3Options { Endpoint = Bucket.Endpoint });
    }

    [Fact]
    public async Task Credentials_in_the_environment_work_without_a_call_of_UseS3()
    {
        ImmutableCredentials keys = await Bucket.Keys.GetCredentialsAsync();
        using var nothing = NoChain();
        using var environment = new Variables(
            ("AWS_ACCESS_KEY_ID", keys.AccessKey), ("AWS_SECRET_ACCESS_KEY", keys.SecretKey), ("AWS_ENDPOINT_URL_S3", Bucket.Endpoint.AbsoluteUri));
        await using WeightLoader loader = new WeightLoaderBuilder().Build();
        using WeightSet weights = await loader.LoadTensorsAsync(Uri, cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task A_request_signed_with_a_wrong_clock_is_signed_again_by_the_clock_of_the_server(int hours)
    {
        var clock = new OffClock(TimeSpan.FromHours(hours));
        await using WeightLoader loader =
            new WeightLoaderBuilder().UseTimeProvider(clock).UseTransferOptions(Quick).UseS3(Bucket.Options).Build();
        using WeightSet weights = await loader.LoadTensorsAsync(Uri, cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }

    // The gateway hands out no session tokens, and checks the signature over one that it does not know: a token that is not signed along,
    // or not as it is sent, is another signature.
    [Fact]
    public async Task The_signature_covers_the_session_token()
    {
        ImmutableCredentials keys = await Bucket.Keys.GetCredentialsAsync();
        await AssertLoadsAsync(
            Uri, Bucket.Options with { Credentials = new SessionAWSCredentials(keys.AccessKey, keys.SecretKey, "a/token+with=odd") });
    }

    [Fact]
    public async Task Keys_that_are_revoked_during_a_load_are_replaced_by_fresh_ones()
    {
        using var folder = new TempFolder();
        BasicAWSCredentials old = await Bucket.CreateKeyAsync();
        await WriteProcessAsync(folder, old);

        // What credential_process in a profile makes.
        using var process = new ProcessAWSCredentials("cat " + folder["keys"]);
        bool isTakenAway = false;
        await AssertLoadsAsync(Uri, Bucket.Options with { Credentials = process }, () => Task.Run(async () =>
        {
            await Bucket.RemoveKeyAsync(old);
            await WriteProcessAsync(folder, await Bucket.CreateKeyAsync());
            isTakenAway = true;
        }).Wait(TestContext.Current.CancellationToken));
        Assert.True(isTakenAway);
    }

    [Fact]
    public async Task Keys_that_are_revoked_for_good_end_the_load()
    {
        BasicAWSCredentials old = await Bucket.CreateKeyAsync();
        Secrets.Add((await old.GetCredentialsAsync()).SecretKey);
        await Bucket.RemoveKeyAsync(old);
        await AssertFailsAsync("does not know the access key", Uri, Bucket.Options with { Credentials = old });
    }

    // The chain would find the machine's own login, or wait for a metadata service.
    private static Variables NoChain() => new(
        ("AWS_CONFIG_FILE", "/nonexistent"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ACCESS_KEY_ID", null),
        ("AWS_SECRET_ACCESS_KEY", null),
        ("AWS_SESSION_TOKEN", null),
        ("AWS_PROFILE", null));

    private static async Task WriteProcessAsync(TempFolder folder, BasicAWSCredentials keys)
    {
        ImmutableCredentials pair = await keys.GetCredentialsAsync();
        await File.WriteAllTextAsync(
            folder["keys"],
            $$"""{ "Version": 1, "AccessKeyId": "{{pair.AccessKey}}", "SecretAccessKey": "{{pair.SecretKey}}" }""",
            TestContext.Current.CancellationToken);
    }

    private sealed class OffClock(TimeSpan off) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + off;
    }
}
