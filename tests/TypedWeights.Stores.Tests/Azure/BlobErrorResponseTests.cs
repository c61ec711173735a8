using System.Net;
using Azure;
using Azure.Storage;
using TypedWeights.Sources;
using TypedWeights.Sources.AzureBlobs;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Tests.Stores.Azure;

/// <summary>Error responses that Azurite never sends, in the words of the service.</summary>
public sealed class BlobErrorResponseTests
{
    private const string Secret = "bm90LWEtc2lnbmF0dXJl";

    [Theory]
    [InlineData(403, "AuthorizationPermissionMismatch", "token", "the role Storage Blob Data Reader on the container weights or")]
    [InlineData(403, "AuthorizationPermissionMismatch", "sas", "does not permit reading; create one with the permission r")]
    [InlineData(403, "AuthorizationFailure", "key", "network rules may block this machine")]
    [InlineData(403, "AuthorizationResourceTypeMismatch", "sas", "create one for the service b \\(blob\\) and the resource type o")]
    [InlineData(403, "AuthorizationSourceIPMismatch", "sas", "not valid for this machine's IP address")]
    [InlineData(403, "KeyBasedAuthenticationNotPermitted", "key", "does not accept account keys")]
    [InlineData(403, "AuthenticationFailed", "key", "is not valid for the account account, has expired or was revoked")]
    [InlineData(401, "InvalidAuthenticationInfo", "token", "has expired or is not for this account's tenant")]
    [InlineData(401, "NoAuthenticationInformation", "nobody", "the container is not public, and the request was sent with no credentials")]
    [InlineData(409, "PublicAccessNotPermitted", "nobody", "the container is not public, and the request was sent with no credentials")]
    [InlineData(409, "BlobArchived", "key", "archive tier")]
    [InlineData(400, "InvalidQueryParameterValue", "key", "the version or snapshot in the URI is not valid")]
    [InlineData(403, "SomethingNew", "key", "403 SomethingNew.*the request was sent with the key")]
    public async Task An_error_code_of_Azure_becomes_a_message_that_says_what_to_do(int status, string code, string login, string pattern)
    {
        WeightSourceException error = (await ExplainAsync(status, code, login))!;
        Assert.Matches(pattern, error.Message);
        Assert.StartsWith("az://account/weights/model.safetensors: ", error.Message, StringComparison.Ordinal);
        Assert.False(error.IsTransient || error.IsNotFound);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, "ResourceNotFound", "nobody")]
    [InlineData(404, "ResourceNotFound", "key")]
    [InlineData(404, "BlobNotFound", "key")]
    [InlineData(404, "ContainerNotFound", "key")]
    public async Task An_absent_blob_or_container_is_not_found_and_not_an_access_error(int status, string code, string login) =>
        Assert.True((await ExplainAsync(status, code, login))!.IsNotFound);

    [Theory]
    [InlineData(503, "ServerBusy")]
    [InlineData(500, "OperationTimedOut")]
    [InlineData(403, "")]
    public async Task Transient_and_unknown_error_responses_keep_the_general_message(int status, string code) =>
        Assert.Null(await ExplainAsync(status, code, "key"));

    [Fact]
    public async Task An_error_shows_the_period_of_a_signature_and_not_the_signature()
    {
        string detail = "Signature not valid in the specified time frame: Start [Mon, 02 Nov 2026 10:00:00 GMT] - "
            + $"Expiry [Mon, 02 Nov 2026 11:00:00 GMT] - Current [Mon, 02 Nov 2026 12:00:00 GMT]. sig={Secret}";
        WeightSourceException error = (await ExplainAsync(403, "AuthenticationFailed", "sas", detail))!;
        Assert.Contains(
            "it is valid from Mon, 02 Nov 2026 10:00:00 GMT to Mon, 02 Nov 2026 11:00:00 GMT, and the server's time is Mon, 02 Nov 2026 12",
            error.Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("se=2026-11-02T11%3A00%3A00Z", "expired at 2026-11-02 11:00:00 UTC; the server's time is 2026-11-02 12:00:00 UTC")]
    [InlineData("st=2026-11-01&se=2026-11-02", "expired at 2026-11-02 00:00:00 UTC")]
    [InlineData("st=2026-11-02T13:00Z&se=2026-11-03", "is not valid before 2026-11-02 13:00:00 UTC; the server's time is 2026-11-02 12:00:00 UTC")]
    [InlineData("st=2026-11-01&se=2026-11-03", "is not valid for the account")]
    [InlineData("si=policy", "is not valid for the account")]
    [InlineData("se=never", "is not valid for the account")]
    public async Task An_expired_or_not_yet_valid_signature_is_reported_from_its_dates(string dates, string expected)
    {
        WeightSourceException error = (await ExplainAsync(403, "AuthenticationFailed", "sas", query: $"?{dates}&sig={Secret}"))!;
        Assert.Contains("the signature " + expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X-Amz-Date=20261102T100000Z&X-Amz-Expires=3600&X-Amz-Signature=x", "expired at 2026-11-02 11:00:00 UTC")]
    [InlineData("X-Goog-Date=20261102T130000Z&X-Goog-Expires=3600&X-Goog-Signature=x", "is not valid before 2026-11-02 13:00:00 UTC")]
    [InlineData("AWSAccessKeyId=a&Expires=1700000000&Signature=x", "expired at 2023-11-14 22:13:20 UTC")]
    [InlineData("se=2026-01-01&sig=x", "expired at 2026-01-01 00:00:00 UTC")]
    [InlineData("X-Amz-Date=20261102T100000Z&X-Amz-Expires=36000&X-Amz-Signature=x", null)]
    [InlineData("Expires=1700000000", null)]
    [InlineData("", null)]
    public void The_dates_of_a_signed_URL_of_any_store_are_described(string query, string? expected)
    {
        using HttpResponseMessage errorResponse = Refusal(403, "?" + query);
        string? described = StoreFile.DescribePeriod(errorResponse);
        Assert.True(expected is null ? described is null : described!.StartsWith(expected, StringComparison.Ordinal), described);
    }

    private static HttpResponseMessage Refusal(int status, string query) => new((HttpStatusCode)status)
    {
        RequestMessage = new HttpRequestMessage(HttpMethod.Get, "https://account.blob.core.windows.net/weights/model.safetensors" + query),
        Headers = { Date = new DateTimeOffset(2026, 11, 2, 12, 0, 0, TimeSpan.Zero) },
    };

    private static async Task<WeightSourceException?> ExplainAsync(
        int status, string code, string kind, string? detail = null, string query = "")
    {
        var service = new Uri("https://account.blob.core.windows.net");
        BlobCredentials login = kind switch
        {
            "token" => BlobCredentials.Of(new IdentityFixture.OwnCredential(TimeSpan.FromHours(1)), "the identity"),
            "sas" => BlobCredentials.Of(new AzureSasCredential("sig=" + Secret), "the signature"),
            "key" => BlobCredentials.Of(new StorageSharedKeyCredential("account", Secret), "the key"),
            _ => BlobCredentials.None("no credentials"),
        };
        BlobUri uri = BlobUri.Of(WeightUri.Parse("az://account/weights/model.safetensors"));
        using var context = new StoreContext();
        var account = new BlobAccount(service, login, new SdkGuard(context, "Azure Blob Storage"));
        using HttpResponseMessage errorResponse = Refusal(status, query);
        errorResponse.Content = new StringContent(
            $"<Error><Code>{code}</Code><Message>The MAC signature found in the request '{Secret}' is not the same"
                + $"</Message><AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail></Error>");
        return await BlobErrorResponse.ExplainAsync(
            errorResponse, new BlobFile(account, uri, "model.safetensors", null), uri, account, TestContext.Current.CancellationToken);
    }
}
