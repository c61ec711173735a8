using System.Net;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.S3;

/// <summary>One object. Every request is signed by itself, with the keys of the moment.</summary>
internal sealed class S3File : StoreFile
{
    private readonly S3Access _access;
    private readonly S3Bucket _bucket;
    private readonly string _bucketName;
    private readonly string _key;
    private volatile Known? _known;

    /// <param name="access">Credentials, clock and settings of the loader.</param>
    /// <param name="bucket">The bucket.</param>
    /// <param name="uri">What was asked for.</param>
    /// <param name="name">The name in its folder.</param>
    public S3File(S3Access access, S3Bucket bucket, S3Uri uri, string name)
        : base(uri.Display + name)
    {
        _access = access;
        _bucket = bucket;
        _bucketName = uri.Bucket;
        _key = uri.Folder + name;
    }

    public override Uri Address
    {
        get
        {
            Known? known = _known;
            if (known is null || known.Where != _bucket.Where)
            {
                object where = _bucket.Where;
                string? query = Version is null ? null : "?versionId=" + Uri.EscapeDataString(Version);
                _known = known = new Known(where, _bucket.Address(_key, query));
            }

            return known.Address;
        }
    }

    protected override string? VersionOf(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("x-amz-version-id", out IEnumerable<string>? versions) && versions.First() is not "null" and var version
            ? version
            : null;

    protected override async ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (await _access.Credentials.GetAsync(Display, cancellationToken).ConfigureAwait(false) is { } keys)
        {
            string region = _bucket.Region;
            _access.Guard.Call(new SdkCall(Display, _access.Credentials.Origin), () =>
            {
                S3Signer.Sign(request, keys, region, _access.Clock.UtcNow, _access.Settings.RequesterPays);
                return true;
            });
        }
    }

    protected override async ValueTask<bool> RenewAsync(HttpResponseMessage refusal, CancellationToken cancellationToken)
    {
        var error = await S3ErrorResponse.ReadAsync(refusal, cancellationToken).ConfigureAwait(false);
        if (error.Region is { } region && _bucket.MoveTo(region, RegionOf(refusal.RequestMessage) ?? _bucket.Region))
        {
            return true;
        }

        (string? AccessKey, string? Token) keys = S3Signer.KeysOf(refusal.RequestMessage);
        return error.Code switch
        {
            "RequestTimeTooSkewed" => _access.Clock.SetBy(refusal),
            "ExpiredToken" or "ExpiredTokenException" or "TokenRefreshRequired" or "InvalidToken" or "InvalidAccessKeyId" =>
                await _access.Credentials.RenewAsync(keys, Display, cancellationToken).ConfigureAwait(false),
            _ => false,
        };
    }

    protected override async ValueTask<WeightSourceException?> ExplainAsync(
        HttpResponseMessage refusal, CancellationToken cancellationToken)
    {
        var error = await S3ErrorResponse.ReadAsync(refusal, cancellationToken).ConfigureAwait(false);
        error = error with { Region = error.Region is { } region ? Quote(refusal, region) : null };
        return Explain(error)
            ?? (refusal.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.TemporaryRedirect
                ? Explain(new S3ErrorResponse("PermanentRedirect", error.Region))
                : null);

        WeightSourceException? Explain(S3ErrorResponse what) => what.Explain(
            Display,
            _bucketName,
            S3Signer.KeysOf(refusal.RequestMessage).AccessKey,
            _access.Credentials.Origin,
            Version,
            _bucket.Region);
    }

    // The scope of a signature: Credential=KEY/20260101/eu-west-1/s3/aws4_request.
    private static string? RegionOf(HttpRequestMessage? request) =>
        request?.Headers.NonValidated.TryGetValues("Authorization", out var values) == true
        && values.ToString().Split('/') is [_, _, { } region, ..]
            ? region
            : null;

    private sealed record Known(object Where, Uri Address);
}
