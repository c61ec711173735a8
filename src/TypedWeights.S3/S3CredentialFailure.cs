using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.S3;

/// <summary>Says why the SDK has no keys, and what to do.</summary>
internal static class S3CredentialFailure
{
    /// <param name="e">What the SDK threw.</param>
    /// <param name="profile">The profile that the credentials come from; null if they come from none.</param>
    public static string? Explain(Exception e, CredentialProfile? profile)
    {
        CredentialProfileOptions? options = profile?.Options;
        Exception[] causes = [.. SdkGuard.CausesOf(e)];
        if (causes.Any(static cause => cause is ProcessAWSCredentialException))
        {
            return "its credential_process failed; run that command yourself to see why";
        }

        if (causes.OfType<FileNotFoundException>().FirstOrDefault()?.FileName is not null
            || causes.Any(static cause => cause is FileNotFoundException or DirectoryNotFoundException))
        {
            return "the file with its token is not there";
        }

        if (options?.MfaSerial is { Length: > 0 } && causes.Any(static cause => cause.Message.Contains("Mfa", StringComparison.Ordinal)))
        {
            return $"the role {options.RoleArn} requires a code of {options.MfaSerial} (MFA), which cannot be entered here; get a "
                + "session with aws sts get-session-token and set its three variables";
        }

        if (options is not null && (options.SsoAccountId ?? options.SsoStartUrl ?? options.SsoSession) is not null)
        {
            return causes.Any(static cause => cause is HttpRequestException)
                ? "the sign-in service (SSO) cannot be reached"
                : $"there is no sign-in (SSO), or it has expired: run aws sso login --profile {profile!.Name}";
        }

        if (causes.Any(static cause => cause is InvalidDataException))
        {
            return options?.SourceProfile is { } source && causes.Any(cause => cause.Message.Contains(source, StringComparison.Ordinal))
                ? $"its source_profile {source} is missing, is not valid, or leads back to it"
                : "its settings contradict one another";
        }

        if (causes.OfType<AmazonServiceException>().LastOrDefault(static cause => cause.ErrorCode is { Length: > 0 }) is { } errorResponse)
        {
            return $"STS refused the request ({errorResponse.ErrorCode}); check the role and who may assume it";
        }

        return options is not null || causes.Any(static cause => cause.Message.Contains("AssumeRole", StringComparison.Ordinal))
            ? causes.Any(static cause => cause is HttpRequestException)
                ? "STS, which gives the keys of its role, cannot be reached (AWS_ENDPOINT_URL_STS, the region, the network)"
                : null
            : causes.Any(static cause => cause is AmazonServiceException) ? "the endpoint that it names did not return keys" : null;
    }

    /// <summary>Whether a failure is transient, by the SDK's own exceptions.</summary>
    public static bool? IsTransient(Exception e)
    {
        Exception[] causes = [.. SdkGuard.CausesOf(e)];
        return causes.Any(static cause => cause is ProcessAWSCredentialException or IOException { InnerException: null }) ? false
            : causes.OfType<AmazonServiceException>().LastOrDefault(static cause => cause.StatusCode != 0) is { } response
                ? (int)response.StatusCode is 408 or 429 or >= 500
            : null;
    }
}
