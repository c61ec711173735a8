using System.Net;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.S3;

/// <summary>One object. Every request is signed by itself, with the current keys.</summary>
/// <param name="bucket">The bucket.</param>
/// <param name="name">The name in the folder of the bucket's URI.</param>
internal sealed class S3File(S3Bucket bucket, string name) : StoreFile(bucket.Uri.Display + name)
{
    private readonly S3Settings _settings = bucket.Settings;
    private volatile Known? _known;

    public override Uri Address
    {
        get
        {
            string root = bucket.Base;
            Known? known = _known;
            if (!ReferenceEquals(known?.Base, root))
            {
                string query = Version is null ? "" : "?versionId=" + Uri.EscapeDataString(Version);
                _known = known = new Known(root, StoreSetting.Exact(root + StoreSetting.Escape(bucket.Uri.Folder + name) + query));
            }

            return known!.Address;
        }
    }

    protected override string? VersionOf(HttpResponseMessage response) =>
        HeaderOf(response, "x-amz-version-id") is { } version and not "null" ? version : null;

    protected override async ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (await _settings.Credentials.GetAsync(Display, cancellationToken).ConfigureAwait(false) is { } keys)
        {
            _settings.Signer.Sign(request, keys, bucket.Region, _settings.RequesterPays);
        }
    }

    protected override async ValueTask<bool> RenewAsync(HttpResponseMessage errorResponse, CancellationToken cancellationToken)
    {
        var error = await S3ErrorResponse.ReadAsync(errorResponse, cancellationToken).ConfigureAwait(false);
        (string? accessKey, string? token, string? requestRegion) = S3Signer.Read(errorResponse.RequestMessage);
        if (error.Region is { } region && bucket.MoveTo(region, requestRegion ?? bucket.Region))
        {
            return true;
        }

        return error.Code switch
        {
            "RequestTimeTooSkewed" => _settings.Signer.SetClock(errorResponse),
            "ExpiredToken" or "ExpiredTokenException" or "TokenRefreshRequired" or "InvalidToken" or "InvalidAccessKeyId" =>
                await _settings.Credentials.RenewAsync((accessKey, token), Display, cancellationToken).ConfigureAwait(false),
            _ => false,
        };
    }

    protected override async ValueTask<WeightSourceException?> ExplainAsync(
        HttpResponseMessage errorResponse, CancellationToken cancellationToken)
    {
        var error = await S3ErrorResponse.ReadAsync(errorResponse, cancellationToken).ConfigureAwait(false);
        error = error with { Region = error.Region is { } region ? Quote(errorResponse, region) : null };
        string? accessKey = S3Signer.Read(errorResponse.RequestMessage).AccessKey;
        return error.Explain(this, bucket, accessKey)
            ?? (errorResponse.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.TemporaryRedirect
                ? new S3ErrorResponse("PermanentRedirect", error.Region).Explain(this, bucket, accessKey)
                : null);
    }

    private sealed record Known(string Base, Uri Address);
}
