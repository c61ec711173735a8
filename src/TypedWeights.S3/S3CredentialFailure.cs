using System.Text.RegularExpressions;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;

namespace TypedWeights.Sources.S3;

/// <summary>Says what it means that the SDK has no keys to give, and what to do.</summary>
internal static partial class S3CredentialFailure
{
    /// <param name="e">What the SDK threw.</param>
    /// <param name="profile">The profile that the credentials come from; null where it is none.</param>
    public static string? Explain(Exception e, CredentialProfile? profile)
    {
        CredentialProfileOptions? options = profile?.Options;
        Exception[] causes = [.. Causes(e)];
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
            return $"the role {options.RoleArn} asks for a code of {options.MfaSerial} (MFA), and nobody can be asked for one here; take a "
                + "session with aws sts get-session-token and set its three variables";
        }

        if (options is not null && (options.SsoAccountId ?? options.SsoStartUrl ?? options.SsoSession) is not null)
        {
            return causes.Any(static cause => cause is HttpRequestException)
                ? "the sign-in service (SSO) cannot be reached"
                : $"nobody is signed in (SSO), or the sign-in has expired: run aws sso login --profile {profile!.Name}";
        }

        if (causes.Any(static cause => cause is InvalidDataException))
        {
            return options?.SourceProfile is { } source && causes.Any(cause => cause.Message.Contains(source, StringComparison.Ordinal))
                ? $"its source_profile {source} is missing, is not valid, or leads back to it"
                : "its settings do not fit together";
        }

        if (causes.OfType<AmazonServiceException>().LastOrDefault(static cause => cause.ErrorCode is { Length: > 0 }) is { } refusal)
        {
            return $"STS refuses ({refusal.ErrorCode}); look at the role and at who may take it";
        }

        return options is not null || causes.Any(static cause => cause.Message.Contains("AssumeRole", StringComparison.Ordinal))
            ? causes.Any(static cause => cause is HttpRequestException)
                ? "STS, which gives the keys of its role, cannot be reached (AWS_ENDPOINT_URL_STS, the region, the network)"
                : null
            : causes.Any(static cause => cause is AmazonServiceException) ? "the endpoint that it names gives no keys" : null;
    }

    /// <summary>Whether it may pass by itself, by the SDK's own exceptions.</summary>
    public static bool? IsTransient(Exception e)
    {
        Exception[] causes = [.. Causes(e)];
        return causes.Any(static cause => cause is ProcessAWSCredentialException or IOException { InnerException: null }) ? false
            : causes.OfType<AmazonServiceException>().LastOrDefault(static cause => cause.StatusCode != 0) is { } refusal
                ? (int)refusal.StatusCode is 408 or 429 or >= 500
            : causes.OfType<AmazonServiceException>().LastOrDefault() is { } unanswered ? MayPass(unanswered.Message)
            : null;
    }

    // Of a container's endpoint the SDK tells what went wrong in words alone.
    private static bool MayPass(string message) => Status().Match(message) is { Success: true } status
        ? status.Groups[1].Value is "408" or "429" || status.Groups[1].Value[0] == '5'
        : ((string[])["refused", "timed out", "timeout", "canceled", "reset"])
            .Any(word => message.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<Exception> Causes(Exception e)
    {
        for (Exception? cause = e; cause is not null; cause = (cause as AggregateException)?.InnerExceptions[^1] ?? cause.InnerException)
        {
            yield return cause;
        }
    }

    [GeneratedRegex(@"\b(\d{3}) \(")]
    private static partial Regex Status();
}
