using System.Net;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>A blob.</summary>
internal sealed class BlobFile : StoreFile
{
    // Which edition of the service's interface is spoken; without it anonymous requests get that of 2009.
    private const string Edition = "2023-11-03";

    private readonly BlobAccount _account;
    private readonly BlobUri _uri;

    /// <param name="account">Its account.</param>
    /// <param name="uri">What was asked for.</param>
    /// <param name="name">The name in the URI's folder.</param>
    /// <param name="version">The version that it must be; null for the current one.</param>
    public BlobFile(BlobAccount account, BlobUri uri, string name, string? version)
        : base(uri.DisplayOf(name))
    {
        _account = account;
        _uri = uri;
        Version = version;
        string path = string.Join('/', (uri.Folder + name).Split('/').Select(Uri.EscapeDataString));
        string query = version is not null ? "versionid=" + Uri.EscapeDataString(version)
            : name == uri.File && uri.Query.Snapshot is { } snapshot ? "snapshot=" + Uri.EscapeDataString(snapshot)
            : "";

        // A blob's name may have "//" or "/../" in it, which are not ours to tidy.
        Address = new Uri(
            $"{account.Service.AbsoluteUri.Split('?')[0].TrimEnd('/')}/{Uri.EscapeDataString(uri.Container)}/{path}"
                + (query.Length > 0 ? "?" + query : ""),
            new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }

    /// <inheritdoc/>
    /// <remarks>
    /// With the version in it where one was asked for. The current one is not asked for by its version, but held by its ETag: a
    /// signature for a single blob does not reach versions.
    /// </remarks>
    public override Uri Address { get; }

    protected override string? VersionOf(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("x-ms-version-id", out IEnumerable<string>? values) ? values.First() : null;

    protected override ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.TryAddWithoutValidation("x-ms-version", Edition);
        return _account.AuthorizeAsync(request, Display, cancellationToken);
    }

    // A token that is over is answered with 401, a signature with 403.
    protected override ValueTask<bool> RenewAsync(HttpResponseMessage refusal, CancellationToken cancellationToken) =>
        refusal is { StatusCode: HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, RequestMessage: { } refused }
            ? _account.RenewAsync(refused, Display, cancellationToken)
            : new(false);

    protected override ValueTask<WeightSourceException?> ExplainAsync(HttpResponseMessage refusal, CancellationToken cancellationToken) =>
        BlobErrorResponse.ExplainAsync(refusal, this, _uri, _account, cancellationToken);
}
