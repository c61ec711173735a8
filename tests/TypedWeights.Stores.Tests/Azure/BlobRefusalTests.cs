using System.Net;
using Azure;
using Azure.Storage;
using TypedWeights.Sources;
using TypedWeights.Sources.AzureBlobs;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Tests.Stores.Azure;

/// <summary>Refusals that Azurite never gives, in the words of the service.</summary>
public sealed class BlobRefusalTests
{
    private const string Secret = "bm90LWEtc2lnbmF0dXJl";

    [Theory]
    [InlineData(403, "AuthorizationPermissionMismatch", "token", "the role Storage Blob Data Reader on the container weights or")]
    [InlineData(403, "AuthorizationPermissionMismatch", "sas", "does not permit reading; make one with r")]
    [InlineData(403, "AuthorizationFailure", "key", "network rules may keep this machine out")]
    [InlineData(403, "AuthorizationResourceTypeMismatch", "sas", "make one for the service b and the resource type o")]
    [InlineData(403, "AuthorizationSourceIPMismatch", "sas", "for other addresses than this machine's")]
    [InlineData(403, "KeyBasedAuthenticationNotPermitted", "key", "takes no keys")]
    [InlineData(403, "AuthenticationFailed", "key", "is not one of the account account, has expired or was revoked")]
    [InlineData(401, "InvalidAuthenticationInfo", "token", "has expired or is not for this account's tenant")]
    [InlineData(401, "NoAuthenticationInformation", "nobody", "the container is not public, and it was asked with no credentials")]
    [InlineData(409, "PublicAccessNotPermitted", "nobody", "the container is not public, and it was asked with no credentials")]
    [InlineData(409, "BlobArchived", "key", "archive tier")]
    [InlineData(400, "InvalidQueryParameterValue", "key", "the version or snapshot in the URI is not one")]
    [InlineData(403, "SomethingNew", "key", "403 SomethingNew.*it was asked with the key")]
    public async Task A_code_becomes_a_sentence(int status, string code, string login, string pattern)
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
    public async Task What_is_not_there_is_told_apart_from_what_is_refused(int status, string code, string login) =>
        Assert.True((await ExplainAsync(status, code, login))!.IsNotFound);

    [Theory]
    [InlineData(503, "ServerBusy")]
    [InlineData(500, "OperationTimedOut")]
    [InlineData(403, "")]
    public async Task What_passes_by_itself_and_what_another_server_says_is_left_to_the_usual_sentences(int status, string code) =>
        Assert.Null(await ExplainAsync(status, code, "key"));

    [Fact]
    public async Task The_time_of_a_signature_is_said_and_the_signature_is_not()
    {
        string detail = "Signature not valid in the specified time frame: Start [Mon, 02 Nov 2026 10:00:00 GMT] - "
            + $"Expiry [Mon, 02 Nov 2026 11:00:00 GMT] - Current [Mon, 02 Nov 2026 12:00:00 GMT]. sig={Secret}";
        WeightSourceException error = (await ExplainAsync(403, "AuthenticationFailed", "sas", detail))!;
        Assert.Contains(
            "it is for Mon, 02 Nov 2026 10:00:00 GMT to Mon, 02 Nov 2026 11:00:00 GMT, and the server has Mon, 02 Nov 2026 12",
            error.Message,
            StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, error.ToString(), StringComparison.Ordinal);
    }

    private static async Task<WeightSourceException?> ExplainAsync(int status, string code, string kind, string? detail = null)
    {
        var service = new Uri("https://account.blob.core.windows.net");
        BlobLogin login = kind switch
        {
            "token" => new BlobLogin.Token(new IdentityFixture.Revoked(TimeSpan.FromHours(1))) { Name = "the identity" },
            "sas" => new BlobLogin.Signature(new AzureSasCredential("sig=" + Secret)) { Name = "the signature" },
            "key" => new BlobLogin.Key(new StorageSharedKeyCredential("account", Secret)) { Name = "the key" },
            _ => new BlobLogin.Nobody { Name = "no credentials" },
        };
        BlobUri uri = BlobUri.Of(WeightUri.Parse("az://account/weights/model.safetensors"));
        using var context = new StoreContext();
        var account = new BlobAccount(service, login, new SdkGuard(context, "Azure Blob Storage"));
        using var refusal = new HttpResponseMessage((HttpStatusCode)status)
        {
            Content = new StringContent(
                $"<Error><Code>{code}</Code><Message>The MAC signature found in the request '{Secret}' is not the same"
                    + $"</Message><AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail></Error>"),
        };
        return await BlobRefusal.ExplainAsync(
            refusal, new BlobFile(account, uri, "model.safetensors", null), uri, account, TestContext.Current.CancellationToken);
    }
}
