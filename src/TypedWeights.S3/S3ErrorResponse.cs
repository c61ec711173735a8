namespace TypedWeights.Sources.S3;

/// <summary>What S3 writes in an error response.</summary>
/// <param name="Code">The code, such as <c>NoSuchKey</c>; empty if there was none.</param>
/// <param name="Region">The region that it names, or null.</param>
internal sealed record S3ErrorResponse(string Code, string? Region)
{
    public static async ValueTask<S3ErrorResponse> ReadAsync(HttpResponseMessage errorResponse, CancellationToken cancellationToken)
    {
        string? region = StoreFile.HeaderOf(errorResponse, "x-amz-bucket-region");
        return await StoreFile.ReadXmlAsync(errorResponse, cancellationToken).ConfigureAwait(false) is { } error
            ? new S3ErrorResponse(error.Element("Code")?.Value ?? "", region ?? error.Element("Region")?.Value)
            : new S3ErrorResponse("", region);
    }

    /// <summary>Says what it means; null for the usual sentence about the status.</summary>
    /// <param name="file">The file.</param>
    /// <param name="bucket">Its bucket.</param>
    /// <param name="accessKey">The id of the key that the request was signed with; null if it was unsigned.</param>
    public WeightSourceException? Explain(S3File file, S3Bucket bucket, string? accessKey)
    {
        string display = file.Display, origin = bucket.Settings.Credentials.Origin, requested = bucket.Region;
        string? version = file.Version;
        return Code switch
        {
            "NoSuchBucket" => new(display, $"there is no bucket {bucket.Uri.Bucket}.") { IsNotFound = true, IsPlaceNotFound = true },
            "NoSuchVersion" or "NoSuchKey" when version is not null => new(
                display,
                $"the bucket has no version {version} of this key, or no longer has it ({Code}); take the snapshot again, or load the latest.")
            {
                IsNotFound = true,
                IsPlaceNotFound = true,
            },
            "NoSuchKey" => new(display, "there is no such key in the bucket.") { IsNotFound = true },
            "AccessDenied" when accessKey is null => new(
                display, $"access was denied (AccessDenied): the request was unsigned, as {origin}, and the object is not public."),
            "AccessDenied" => new(
                display,
                $"access was denied (AccessDenied): the key {accessKey} of {origin} needs "
                    + (version is null ? "s3:GetObject" : "s3:GetObjectVersion (for LoadOptions.Revision = Latest s3:GetObject is enough)")
                    + "; without s3:ListBucket a missing key gets the same response."),
            "SignatureDoesNotMatch" => new(
                display, $"the secret key does not belong to the access key {accessKey} of {origin} (SignatureDoesNotMatch)."),
            "InvalidAccessKeyId" => new(display, $"the server does not know the access key {accessKey} of {origin} (InvalidAccessKeyId)."),
            "ExpiredToken" or "ExpiredTokenException" or "TokenRefreshRequired" or "InvalidToken" => new(
                display, $"the session token of {origin} is no longer valid ({Code}), and there is no other; sign in again."),
            "RequestTimeTooSkewed" => new(display, "the clock of this machine is too far off, and the time in the server's response did not help."),
            "InvalidObjectState" => new(display, "the object is archived; restore it first (aws s3api restore-object)."),
            "MethodNotAllowed" => new(display, "the version is a delete marker: the object was deleted.")
            {
                IsNotFound = true,
                IsPlaceNotFound = true,
            },
            "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" => new(
                display,
                Region is null
                    ? $"the bucket is not in {requested}; set its region in AWS_REGION, in ?region= or in S3Options.Region."
                    : $"the bucket is in {Region} and the request was for {requested}; set it in AWS_REGION, in ?region= or in S3Options.Region."),
            "RequestTimeout" => new(display, "the server timed out (RequestTimeout).") { IsTransient = true },
            _ => null,
        };
    }
}
