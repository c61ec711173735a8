using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>Says what the service's error codes mean, and what to do. Its own texts may quote a signature, so hardly any of them is shown.</summary>
internal static partial class BlobErrorResponse
{
    public static async ValueTask<WeightSourceException?> ExplainAsync(
        HttpResponseMessage errorResponse, BlobFile file, BlobUri uri, BlobAccount account, CancellationToken cancellationToken)
    {
        XElement? error = await StoreFile.ReadXmlAsync(errorResponse, cancellationToken).ConfigureAwait(false);
        string code = StoreFile.HeaderOf(errorResponse, "x-ms-error-code") ?? error?.Element("Code")?.Value ?? "";
        string text = error?.Value ?? "";
        int status = (int)errorResponse.StatusCode;
        if (code.Length == 0 || status >= 500 || status == 429)
        {
            return null;
        }

        string? missing = Missing(code, file, uri, account);
        return new WeightSourceException(
            file.Display,
            missing ?? $"the store refused the request ({StoreFile.QuoteStatus(errorResponse, code)}): "
                + Refused(code, text, uri, account, errorResponse))
        {
            IsNotFound = missing is not null,
            IsPlaceNotFound = code is "ContainerNotFound" || (code is "ResourceNotFound" && account.IsAnonymous)
                || (code is "BlobNotFound" && file.Version is not null),
        };
    }

    private static string? Missing(string code, BlobFile file, BlobUri uri, BlobAccount account) => code switch
    {
        "ContainerNotFound" => $"the account {uri.Account} has no container {uri.Container} (ContainerNotFound).",
        "BlobNotFound" when file.Version is { } version => $"the container {uri.Container} has no version {version} of this blob "
            + "(BlobNotFound); take the snapshot again, or load the latest.",
        "BlobNotFound" => $"the container {uri.Container} has no such blob (BlobNotFound).",
        "ResourceNotFound" when account.IsAnonymous => $"the account {uri.Account} has no public container {uri.Container} with this blob "
            + $"(ResourceNotFound), and the request was sent with {account.CredentialsName}.",
        "ResourceNotFound" => "the store has no such blob (ResourceNotFound).",
        _ => null,
    };

    private static string Refused(string code, string text, BlobUri uri, BlobAccount account, HttpResponseMessage errorResponse) => code switch
    {
        _ when account.HasSignature && StoreFile.DescribePeriod(errorResponse) is { } period => $"{account.CredentialsName} {period}.",
        "NoAuthenticationInformation" or "PublicAccessNotPermitted" =>
            $"the container is not public, and the request was sent with {account.CredentialsName}.",
        "AuthorizationPermissionMismatch" when account.HasSignature => $"{account.CredentialsName} does not permit reading; create one with the "
            + "permission r (read).",
        "AuthorizationPermissionMismatch" => $"{account.CredentialsName} may not read blobs here; assign it the role Storage Blob Data Reader on the "
            + $"container {uri.Container} or the account {uri.Account} (a new role takes a few minutes to apply).",
        "AuthorizationFailure" =>
            $"{account.CredentialsName} was rejected: it may be wrong, or the account's network rules may block this machine.",
        "AuthorizationSourceIPMismatch" => $"{account.CredentialsName} is not valid for this machine's IP address.",
        "AuthorizationProtocolMismatch" => $"{account.CredentialsName} is valid only over https.",
        "AuthorizationServiceMismatch" or "AuthorizationResourceTypeMismatch" =>
            $"{account.CredentialsName} is not valid for blobs; create one for the service b (blob) and the resource type o (object).",
        "KeyBasedAuthenticationNotPermitted" => $"the account {uri.Account} does not accept account keys, or signatures made with them; "
            + "log in with az login, or give a managed identity the role Storage Blob Data Reader.",
        "AuthenticationFailed" or "InvalidAuthenticationInfo" => NotAuthenticated(text, uri, account, errorResponse),
        "BlobArchived" => "the blob is in the archive tier; move it to hot, cool or cold first.",
        "AccountIsDisabled" => $"the account {uri.Account} is disabled.",
        "InvalidQueryParameterValue" => "the version or snapshot in the URI is not valid; both are times such as 2026-01-31T12:00:00.1234567Z.",
        _ => $"the request was sent with {account.CredentialsName}.",
    };

    private static string NotAuthenticated(string text, BlobUri uri, BlobAccount account, HttpResponseMessage errorResponse)
    {
        if (Period().Match(text) is { Success: true } period)
        {
            return $"{account.CredentialsName} is not valid now: it is valid from {Quoted(1)} to {Quoted(2)}, and the server's time is {Quoted(3)}.";

            string Quoted(int group) => StoreFile.Quote(errorResponse, period.Groups[group].Value);
        }

        return account.HasToken
            ? $"the token of {account.CredentialsName} has expired or is not for this account's tenant; check the clock, or log in again."
            : account.IsAnonymous
                ? $"the request was sent with {account.CredentialsName}."
                : $"{account.CredentialsName} is not valid for the account {uri.Account}, has expired or was revoked, or this machine's clock is "
                    + "wrong.";
    }

    [GeneratedRegex(@"time frame: Start \[([^\]]{1,60})\] - Expiry \[([^\]]{1,60})\] - Current \[([^\]]{1,60})\]")]
    private static partial Regex Period();
}
