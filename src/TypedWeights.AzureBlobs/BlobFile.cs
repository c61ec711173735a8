using System.Net;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>A blob.</summary>
internal sealed class BlobFile : StoreFile
{
    // The version of the service's interface; without it anonymous requests get that of 2009.
    private const string Edition = "2023-11-03";

    private readonly BlobAccount _account;
    private readonly BlobUri _uri;

    /// <param name="account">Its account.</param>
    /// <param name="uri">The requested URI.</param>
    /// <param name="name">The name in the URI's folder.</param>
    /// <param name="version">The version to read; null for the current one.</param>
    public BlobFile(BlobAccount account, BlobUri uri, string name, string? version)
        : base(uri.DisplayOf(name))
    {
        _account = account;
        _uri = uri;
        Version = version;
        string query = version is not null ? "?versionid=" + Uri.EscapeDataString(version)
            : name == uri.File && uri.Snapshot is { } snapshot ? "?snapshot=" + Uri.EscapeDataString(snapshot)
            : "";
        string service = account.Service.AbsoluteUri.Split('?')[0].TrimEnd('/');
        Address = StoreSetting.Exact($"{service}/{Uri.EscapeDataString(uri.Container)}/{StoreSetting.Escape(uri.Folder + name)}{query}");
    }

    /// <inheritdoc/>
    /// <remarks>
    /// It has the version if one was requested. The current version is not requested by its name, but checked by its ETag: a signature for a
    /// single blob does not reach versions.
    /// </remarks>
    public override Uri Address { get; }

    protected override string? VersionOf(HttpResponseMessage response) => HeaderOf(response, "x-ms-version-id");

    protected override ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.TryAddWithoutValidation("x-ms-version", Edition);
        return _account.AuthorizeAsync(request, Display, cancellationToken);
    }

    // The response to an expired token is 401, to an expired signature 403.
    protected override ValueTask<bool> RenewAsync(HttpResponseMessage errorResponse, CancellationToken cancellationToken) =>
        errorResponse is { StatusCode: HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, RequestMessage: { } refused }
            ? _account.RenewAsync(refused, Display, cancellationToken)
            : new(false);

    protected override ValueTask<WeightSourceException?> ExplainAsync(HttpResponseMessage errorResponse, CancellationToken cancellationToken) =>
        BlobErrorResponse.ExplainAsync(errorResponse, this, _uri, _account, cancellationToken);
}
