using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.Gcs;

/// <summary>
/// The application default credentials: Google's library looks them up once in a process, so each case is a process of its own
/// (tests/StoreProbe). The names of Google's servers are the real ones; the connections lead here.
/// </summary>
public sealed class GcsDefaultTests : IAsyncLifetime
{
    private readonly TempFolder _home = new();
    private readonly LocalAuthority _authority = new();
    private TokenFixture _tokens = null!;
    private GcsFixture _store = null!;

    public async ValueTask InitializeAsync()
    {
        _tokens = await TokenFixture.StartAsync();
        _store = await GcsFixture.StartAsync(_tokens, Certificate("storage.googleapis.com"));
        _store.Put(NoiseFile.Name, NoiseFile.Bytes);
        await File.WriteAllTextAsync(_home["root.pem"], _authority.Root.ExportCertificatePem(), TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _tokens.DisposeAsync();
        _authority.Dispose();
        _home.Dispose();
    }

    [Fact]
    public async Task The_key_file_that_the_environment_names_is_used()
    {
        await AssertReadsAsync(
            ("GOOGLE_APPLICATION_CREDENTIALS", Save("key.json", _tokens.KeyFile)), ("GOOGLE_CLOUD_QUOTA_PROJECT", "named-project"));
        Assert.Equal(["jwt"], _tokens.Kinds);
        Assert.All(_store.Requests, request => Assert.Equal(("jwt", "named-project"), (request.Kind, request.Project)));
    }

    [Fact]
    public async Task The_gcloud_login_is_used_and_its_quota_project_is_sent()
    {
        await using TokenFixture google = await TokenFixture.StartAsync(Certificate("oauth2.googleapis.com"));
        await using GcsFixture store = await GcsFixture.StartAsync(google, Certificate("storage.googleapis.com"));
        store.Put(NoiseFile.Name, NoiseFile.Bytes);
        Save(".config/gcloud/application_default_credentials.json", TokenFixture.UserFile);
        await AssertReadsAsync(store, google);
        Assert.Equal(["refresh"], google.Kinds);
        Assert.All(store.Requests, request => Assert.Equal(("refresh", "quota-project"), (request.Kind, request.Project)));
    }

    [Fact]
    public async Task A_credential_file_can_impersonate_a_service_account()
    {
        await AssertReadsAsync(("GOOGLE_APPLICATION_CREDENTIALS", Save("impersonation.json", _tokens.ImpersonationFile)));
        Assert.Equal(["source", "impersonation"], _tokens.Kinds);
        Assert.All(_store.Requests, request => Assert.Equal("impersonation", request.Kind));
    }

    [Fact]
    public async Task A_key_of_another_universe_is_used_at_the_service_of_that_universe()
    {
        await using GcsFixture store = await GcsFixture.StartAsync(_tokens, Certificate("storage.cloud.test"));
        store.Put(NoiseFile.Name, NoiseFile.Bytes);
        string key = _tokens.KeyFile[..^1] + ",\"universe_domain\":\"cloud.test\"}";

        string output = await RunAsync(store, null, ("GOOGLE_APPLICATION_CREDENTIALS", Save("key.json", key)));

        Assert.True(output.Trim() == Convert.ToHexString(SHA256.HashData(NoiseFile.Bytes)), output);
        Assert.All(store.Requests, request => Assert.Equal("self-signed", request.Kind));
    }

    [Fact]
    public async Task Credentials_of_the_metadata_server_are_used()
    {
        await AssertReadsAsync(("GCE_METADATA_HOST", new Uri(_tokens.Address).Authority));
        Assert.Equal(["metadata"], _tokens.Kinds.Distinct());
        Assert.All(_store.Requests, request => Assert.Equal("metadata", request.Kind));
    }

    [Fact]
    public async Task Public_objects_are_read_without_default_credentials()
    {
        string refusal = await RunAsync(_store, null);
        Assert.Contains("(there are none: log in with gcloud auth application-default login", refusal, StringComparison.Ordinal);
        _store.IsPublic = true;
        await AssertReadsAsync();
        Assert.All(_store.Requests, request => Assert.Null(request.Kind));
    }

    [Theory]
    [InlineData("ya29.s3cret", "that file is not the JSON of a Google credential")]
    [InlineData("{ \"type\": \"service_account\", \"private_key\": \"s3cret\", \"client_email\": \"a@b\" }", "that file is not the JSON of a Google")]
    [InlineData("{ \"type\": \"s3cret-s3cret\" }", "that file is not the JSON of a Google credential.* The SDK says: .*Unrecognized credential type")]
    [InlineData("", "that file is not the JSON of a Google credential")]
    [InlineData("[]", "that file is not the JSON of a Google credential")]
    [InlineData(null, "there is no such file")]
    public async Task An_unusable_credential_file_is_an_error_that_names_it_and_does_not_show_its_content(string? text, string pattern)
    {
        string path = text is null ? _home["absent.json"] : Save("key.json", text);
        await AssertRefusesAsync(path, pattern);
    }

    [Theory]
    [InlineData(OddFile.Folder, "this is a folder")]
    [InlineData(OddFile.Pipe, "this is a named pipe")]
    public async Task A_credential_path_that_is_not_a_regular_file_is_an_error_without_waiting(string kind, string says)
    {
        OddFile.Make(kind, _home["odd"], _home["victim"]);
        Assert.Contains(
            $"Google Cloud Storage cannot use {_home["odd"]} (GOOGLE_APPLICATION_CREDENTIALS): {says}, and a regular file is expected.",
            await RunAsync(_store, null, ("GOOGLE_APPLICATION_CREDENTIALS", _home["odd"])),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipe_in_place_of_the_gcloud_login_is_an_error_without_waiting()
    {
        Directory.CreateDirectory(_home[".config/gcloud"]);
        OddFile.Make(OddFile.Pipe, _home[".config/gcloud/application_default_credentials.json"], _home["victim"]);
        Assert.Contains("application_default_credentials.json: this is a named pipe", await RunAsync(_store, null), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_invalid_metadata_host_is_an_error_that_names_the_variable()
    {
        string error = await RunAsync(_store, null, ("GCE_METADATA_HOST", "no host"));
        Assert.Contains("GCE_METADATA_HOST is not a host or a host with its port", error, StringComparison.Ordinal);
    }

    private async Task AssertRefusesAsync(string path, string pattern)
    {
        string error = await RunAsync(_store, null, ("GOOGLE_APPLICATION_CREDENTIALS", path));
        Assert.Contains(
            $"Google Cloud Storage cannot use the credentials in {path} (GOOGLE_APPLICATION_CREDENTIALS): ", error, StringComparison.Ordinal);
        Assert.Matches(pattern, error);
        Assert.DoesNotContain("s3cret", error, StringComparison.Ordinal);
    }

    private X509Certificate2 Certificate(string host)
    {
        (string certificate, string key) = _authority.Issue(host);
        return X509Certificate2.CreateFromPem(certificate, key);
    }

    private string Save(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_home[name])!);
        File.WriteAllText(_home[name], text);
        return _home[name];
    }

    private Task AssertReadsAsync(params (string Name, string? Value)[] environment) => AssertReadsAsync(_store, null, environment);

    private async Task AssertReadsAsync(GcsFixture store, TokenFixture? google, params (string Name, string? Value)[] environment)
    {
        string output = await RunAsync(store, google, environment);
        Assert.True(output.Trim() == Convert.ToHexString(SHA256.HashData(NoiseFile.Bytes)), output);
    }

    // No login of the machine's own, and no metadata server but the one that a test names.
    private Task<string> RunAsync(GcsFixture store, TokenFixture? google, params (string Name, string? Value)[] environment) => ProbeRun.OutputAsync(
        [
            $"gs://{GcsFixture.Bucket}/{NoiseFile.Name}",
            _home["root.pem"],
            $"storage.googleapis.com={store.Address.Port}",
            $"storage.cloud.test={store.Address.Port}",
            $"oauth2.googleapis.com={(google is null ? 1 : new Uri(google.Address).Port)}",
        ],
        [
            ("GOOGLE_APPLICATION_CREDENTIALS", null),
            ("GOOGLE_CLOUD_QUOTA_PROJECT", null),
            ("STORAGE_EMULATOR_HOST", null),
            ("CLOUDSDK_CONFIG", null),
            ("HOME", _home.Path),
            ("GCE_METADATA_HOST", $"127.0.0.1:{FreePort.Find()}"),
            .. environment,
        ]);
}
