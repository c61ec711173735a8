using System.Xml;
using System.Xml.Linq;

namespace TypedWeights.Sources.S3;

/// <summary>What S3 writes under a refusal.</summary>
/// <param name="Code">The code, such as <c>NoSuchKey</c>; empty where there was none.</param>
/// <param name="Region">The region that it names, or null.</param>
internal sealed record S3ErrorResponse(string Code, string? Region)
{
    public static async ValueTask<S3ErrorResponse> ReadAsync(HttpResponseMessage refusal, CancellationToken cancellationToken)
    {
        string? region = refusal.Headers.TryGetValues("x-amz-bucket-region", out IEnumerable<string>? values) ? values.First() : null;
        string text = await StoreFile.ReadTextAsync(refusal, cancellationToken).ConfigureAwait(false);
        try
        {
            using XmlReader reader = XmlReader.Create(
                new StringReader(text), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            XElement error = XElement.Load(reader);
            return new S3ErrorResponse(error.Element("Code")?.Value ?? "", region ?? error.Element("Region")?.Value);
        }
        catch (XmlException)
        {
            return new S3ErrorResponse("", region);
        }
    }

    /// <summary>Says what it means; null for the usual sentence about the status.</summary>
    /// <param name="display">The file as it may be shown.</param>
    /// <param name="bucket">The bucket's name.</param>
    /// <param name="accessKey">The id of the key that the request was signed with; null where it was not.</param>
    /// <param name="origin">Where the credentials come from, or why there are none.</param>
    /// <param name="version">The version that was asked for, or null.</param>
    /// <param name="asked">The region that was asked.</param>
    public WeightSourceException? Explain(
        string display, string bucket, string? accessKey, string origin, string? version, string asked) => Code switch
        {
            "NoSuchBucket" => new(display, $"there is no bucket {bucket}.") { IsNotFound = true, IsPlaceNotFound = true },
            "NoSuchVersion" or "NoSuchKey" when version is not null => new(
                display,
                $"the bucket has no version {version} of this key (any more) ({Code}); take the snapshot again, or ask for the latest.")
            {
                IsNotFound = true,
                IsPlaceNotFound = true,
            },
            "NoSuchKey" => new(display, "there is no such key in the bucket.") { IsNotFound = true },
            "AccessDenied" when accessKey is null => new(
                display, $"access is refused (AccessDenied): the request was unsigned, as {origin}, and it is not public."),
            "AccessDenied" => new(
                display,
                $"access is refused (AccessDenied): the key {accessKey} of {origin} needs "
                    + (version is null ? "s3:GetObject" : "s3:GetObjectVersion (for LoadOptions.Revision = Latest s3:GetObject is enough)")
                    + "; without s3:ListBucket a key that is not there is refused in the same way."),
            "SignatureDoesNotMatch" => new(
                display, $"the secret key does not belong to the access key {accessKey} of {origin} (SignatureDoesNotMatch)."),
            "InvalidAccessKeyId" => new(display, $"the server does not know the access key {accessKey} of {origin} (InvalidAccessKeyId)."),
            "ExpiredToken" or "ExpiredTokenException" or "TokenRefreshRequired" or "InvalidToken" => new(
                display, $"the session token of {origin} is not valid any more ({Code}), and there is no other; sign in again."),
            "RequestTimeTooSkewed" => new(display, "the clock of this machine is too far off, and the server's answer did not mend it."),
            "InvalidObjectState" => new(display, "the object is archived; restore it first (aws s3api restore-object)."),
            "MethodNotAllowed" => new(display, "the version is a delete marker: the object was deleted.")
            {
                IsNotFound = true,
                IsPlaceNotFound = true,
            },
            "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" => new(
                display,
                Region is null
                    ? $"the bucket is not in {asked}; give its region in AWS_REGION, in ?region= or in S3Options.Region."
                    : $"the bucket is in {Region} and {asked} was asked; give it in AWS_REGION, in ?region= or in S3Options.Region."),
            "RequestTimeout" => new(display, "the server gave up waiting (RequestTimeout).") { IsTransient = true },
            _ => null,
        };
}
