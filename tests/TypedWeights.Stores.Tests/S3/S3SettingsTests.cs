using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using TypedWeights.Tests.Loading.Faults;

namespace TypedWeights.Tests.Stores.S3;

/// <summary>
/// Mistakes in profiles and variables: each is an error of the library that names the setting, or does not matter. The SDK reads real
/// files here and runs real programs; as it reads settings once in a process, each case is a process of its own (tests/StoreProbe).
/// </summary>
public sealed class S3SettingsTests : IDisposable
{
    private const string Uri = "s3://bucket/model.safetensors";
    private const string Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    private const string Role = "role_arn = arn:aws:iam::123456789012:role/reader\n";
    private const string Base = "[profile base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = " + Secret + "\n";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("[profile other]\nregion = eu-west-1\n", "there is no such profile in these files")]
    [InlineData("[profile dev]\nsource_profile = absent\n" + Role, "its source_profile absent is missing.*The SDK says: .*absent")]
    [InlineData("[profile dev]\nsource_profile = dev2\n" + Role + "[profile dev2]\nsource_profile = dev\n" + Role, "source_profile dev2 .*cyclical")]
    [InlineData("[profile dev]\n" + Role, "its settings contradict one another")]
    [InlineData("[profile dev]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n", "its settings contradict one another")]
    [InlineData("[profile dev]\ncredential_source = Nowhere\n" + Role, "Credential source \\[Nowhere\\] is invalid")]
    [InlineData("[profile dev]\nsource_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n" + Role + Base, "requires a code of .*mfa/me")]
    [InlineData(
        "[profile dev]\nsso_start_url = https://x.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 123456789012\nsso_role_name = r\n",
        "aws sso login --profile dev")]
    [InlineData("[profile dev]\nsso_session = absent\nsso_account_id = 123456789012\nsso_role_name = r\n", "The SDK says: .*absent")]
    [InlineData("[profile dev]\nweb_identity_token_file = /nowhere/token\n" + Role, "the file with its token is not there.*/nowhere/token")]
    [InlineData("[profile dev]\ncredential_process = /nowhere/program\n", "its credential_process failed")]
    [InlineData("[profile dev]\ncredential_process = echo hello\n", "its credential_process failed")]
    [InlineData("[profile dev]\nregion = mars north\n" + "aws_access_key_id = A\n", "The SDK says: .*mars north")]
    [InlineData("[profile dev]\naws_secret_access_key " + Secret + "\n", "the files cannot be read.*The SDK says")]
    [InlineData("nothing of the kind\n", "the files cannot be read.*The SDK says")]
    public async Task An_unusable_profile_is_an_error_that_names_the_profile_its_file_and_the_mistake(string config, string pattern)
    {
        Save(config);
        string error = await FailAsync(pattern, ("AWS_PROFILE", "dev"));
        Assert.Contains($"Amazon S3 cannot use the profile dev (AWS_PROFILE, {_folder["config"]} and ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE", "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not")]
    [InlineData("AWS_SECRET_ACCESS_KEY", Secret, "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not")]
    [InlineData("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token", "AWS_ROLE_ARN is not")]
    [InlineData("AWS_CONTAINER_CREDENTIALS_FULL_URI", "no address", "\\(AWS_CONTAINER_CREDENTIALS_FULL_URI\\).*Invalid URI")]
    [InlineData("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x", "\\(AWS_CONTAINER_CREDENTIALS_FULL_URI\\).*invalid host")]
    [InlineData("AWS_REGION", "mars north", "the region mars north \\(AWS_REGION\\)")]
    [InlineData("AWS_DEFAULT_REGION", "mars north", "the region mars north \\(AWS_DEFAULT_REGION\\)")]
    [InlineData("AWS_ENDPOINT_URL", "nowhere", "AWS_ENDPOINT_URL: this is not an http or https URL")]
    [InlineData("AWS_ENDPOINT_URL_S3", "http://", "AWS_ENDPOINT_URL_S3: this is not an http or https URL")]
    public Task An_unusable_AWS_variable_is_an_error_that_names_it(string name, string value, string pattern) => FailAsync(pattern, (name, value));

    [Theory]
    [InlineData("AWS_CONFIG_FILE")]
    [InlineData("AWS_SHARED_CREDENTIALS_FILE")]
    [InlineData("AWS_WEB_IDENTITY_TOKEN_FILE")]
    [InlineData("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")]
    public Task A_variable_that_points_to_a_pipe_is_an_error_without_waiting(string name)
    {
        OddFile.Make(OddFile.Pipe, _folder["pipe"], _folder["victim"]);
        (string, string?)[] rest = name switch
        {
            "AWS_WEB_IDENTITY_TOKEN_FILE" => [("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader"), ("AWS_REGION", "eu-west-1")],
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" => [("AWS_CONTAINER_CREDENTIALS_FULL_URI", $"http://127.0.0.1:{FreePort.Find()}/keys")],
            _ => [],
        };
        return FailAsync(
            $"Amazon S3 cannot use .*pipe \\({name}\\): this is a named pipe, and a regular file is expected", [(name, _folder["pipe"]), .. rest]);
    }

    [Fact]
    public Task A_profile_that_points_to_a_pipe_is_an_error_without_waiting()
    {
        OddFile.Make(OddFile.Pipe, _folder["pipe"], _folder["victim"]);
        Save($"[profile dev]\nregion = eu-west-1\nweb_identity_token_file = {_folder["pipe"]}\n" + Role);
        return FailAsync("pipe \\(web_identity_token_file of the profile dev .*: this is a named pipe", ("AWS_PROFILE", "dev"));
    }

    [Theory]
    [InlineData("AKIA\r\nX-Evil: 1", "token", "the access key id of the variables AWS_ACCESS_KEY_ID")]
    [InlineData("AKIÄ", "token", "the access key id of the variables AWS_ACCESS_KEY_ID")]
    [InlineData("AKIA", "tok\nX-Evil: 1", "the session token of the variables AWS_ACCESS_KEY_ID")]
    public Task A_key_or_token_with_characters_that_no_header_may_have_is_an_error_and_not_sent(string key, string session, string pattern) =>
        FailAsync(
        pattern + ".* contains a space, a line break",
        ("AWS_ACCESS_KEY_ID", key),
        ("AWS_SECRET_ACCESS_KEY", Secret),
        ("AWS_SESSION_TOKEN", session),
        ("AWS_REGION", "eu-west-1"));

    [Fact]
    public async Task An_invalid_endpoint_of_a_profile_is_an_error_that_names_the_profile()
    {
        Save("[default]\nendpoint_url = nowhere\n");
        string error = await FailAsync("endpoint_url of the profile default \\(.*: this is not an http or https URL");
        Assert.DoesNotContain("AWS_ENDPOINT_URL", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, "404")]
    [InlineData(503, "503")]
    [InlineData(null, "refused")]
    public async Task A_container_credentials_endpoint_that_returns_no_keys_is_an_error_that_names_it(int? status, string words)
    {
        await using FileServer server = await FileServer.StartAsync();
        server.Intercept = context =>
        {
            context.Response.StatusCode = status!.Value;
            return Task.FromResult(true);
        };
        string address = status is null ? $"http://127.0.0.1:{FreePort.Find()}" : server.Address;
        await FailAsync(
            $"the container's credentials \\(AWS_CONTAINER_CREDENTIALS_FULL_URI\\): the endpoint that it names did not return keys.*{words}",
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", address + "/keys"));
    }

    [Fact]
    public async Task The_error_tells_an_unreachable_STS_from_a_refused_role()
    {
        Save("[profile dev]\nregion = eu-west-1\nsource_profile = base\n" + Role + Base);
        await FailAsync(
            "STS, which gives the keys of its role, cannot be reached.*The SDK says: .*refused",
            ("AWS_PROFILE", "dev"),
            ("AWS_ENDPOINT_URL_STS", $"http://127.0.0.1:{FreePort.Find()}"));

        await using FileServer server = await FileServer.StartAsync();
        server.Intercept = async context =>
        {
            context.Response.StatusCode = 403;
            await context.Response.WriteAsync(
                "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not yours to take</Message></Error></ErrorResponse>");
            return true;
        };
        await FailAsync(
            "STS refused the request \\(AccessDenied\\).*The SDK says: .*not yours to take",
            ("AWS_PROFILE", "dev"),
            ("AWS_ENDPOINT_URL_STS", server.Address));
    }

    [Fact]
    public async Task Unreadable_AWS_files_only_cause_a_warning_when_the_environment_has_keys()
    {
        Save("no setting\naws_secret_access_key " + Secret + "\n");
        await using FileServer server = await FileServer.StartAsync();
        server.Files["/bucket/model.safetensors"] = NoiseFile.Bytes;
        string? authorization = null;
        server.Intercept = context =>
        {
            authorization = context.Request.Headers.Authorization;
            return Task.FromResult(false);
        };
        string output = await RunAsync(
            ("AWS_ACCESS_KEY_ID", "KEY1"), ("AWS_SECRET_ACCESS_KEY", "s3cret"), ("AWS_ENDPOINT_URL_S3", server.Address));
        Assert.Contains(Convert.ToHexString(SHA256.HashData(NoiseFile.Bytes)), output, StringComparison.Ordinal);
        Assert.Contains("Credential=KEY1/", authorization, StringComparison.Ordinal);
        Assert.Contains("warning: " + Uri + ": the region and endpoint of the profile are ignored", output, StringComparison.Ordinal);
        Assert.Contains(_folder["config"], output, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_services_section_of_a_profile_causes_a_warning_that_it_is_not_read()
    {
        Save("[default]\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = http://127.0.0.1:1\n");
        await FailAsync(
            "warning: .*the section services mine of the profile default .* is not supported(.|\n)*the region mars north",
            ("AWS_REGION", "mars north"));
    }

    [Fact]
    public async Task A_loader_reads_a_corrected_setting_on_its_next_load()
    {
        await using FileServer server = await FileServer.StartAsync();
        server.Files["/bucket/model.safetensors"] = NoiseFile.Bytes;
        await using WeightLoader loader = new WeightLoaderBuilder().UseS3(new() { Anonymous = true }).Build();
        using (new Variables(("AWS_ENDPOINT_URL_S3", "nowhere")))
        {
            await Assert.ThrowsAsync<WeightSourceException>(
                () => loader.LoadTensorsAsync(Uri, cancellationToken: TestContext.Current.CancellationToken));
        }

        using var endpoint = new Variables(("AWS_ENDPOINT_URL_S3", server.Address));
        using WeightSet weights = await loader.LoadTensorsAsync(Uri, cancellationToken: TestContext.Current.CancellationToken);
        NoiseFile.AssertIn(weights);
    }

    private void Save(string config) => File.WriteAllText(_folder["config"], config);

    private async Task<string> FailAsync(string pattern, params (string Name, string? Value)[] environment)
    {
        string output = await RunAsync(environment);
        Assert.Matches(pattern, output);
        Assert.Contains("TypedWeights.WeightSourceException: " + Uri + ": ", output, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, output, StringComparison.Ordinal);
        return output;
    }

    // Neither the machine's own login nor its metadata service takes part.
    private Task<string> RunAsync(params (string Name, string? Value)[] environment) => ProbeRun.OutputAsync(
        [Uri, "-"],
        [
            .. Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(static name => name.StartsWith("AWS_", StringComparison.Ordinal))
                .Select(static name => (name, (string?)null)),
            ("HOME", _folder.Path),
            ("AWS_CONFIG_FILE", _folder["config"]),
            ("AWS_SHARED_CREDENTIALS_FILE", _folder["credentials"]),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            .. environment,
        ]);
}
