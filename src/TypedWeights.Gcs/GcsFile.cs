using System.Net;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.Gcs;

/// <summary>One object, by the service's XML interface: plain ranges, a strong ETag, and the generation in every response.</summary>
internal sealed class GcsFile : StoreFile
{
    private readonly GcsCredentials _credentials;
    private readonly GcsUri _uri;
    private readonly string _plain;

    /// <param name="credentials">Address and credentials.</param>
    /// <param name="uri">The requested URI.</param>
    /// <param name="name">The name in the folder of the URI.</param>
    /// <param name="generation">The generation to read; null for the current one.</param>
    public GcsFile(GcsCredentials credentials, GcsUri uri, string name, string? generation)
        : base(uri.Display + name)
    {
        _credentials = credentials;
        _uri = uri;
        Version = generation;
        string endpoint = credentials.Client.Endpoint.AbsoluteUri.TrimEnd('/');
        _plain = $"{endpoint}/{Uri.EscapeDataString(uri.Bucket)}/{StoreSetting.Escape(uri.Folder + name)}";
        Address = generation is null ? StoreSetting.Exact(_plain) : AddressAt(generation);
    }

    public override Uri Address { get; }

    protected override Uri AddressAt(string version) => StoreSetting.Exact($"{_plain}?generation={Uri.EscapeDataString(version)}");

    protected override string? VersionOf(HttpResponseMessage response) => HeaderOf(response, "x-goog-generation");

    protected override async ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await _credentials.AuthorizeAsync(request, Display, cancellationToken).ConfigureAwait(false);
        if (_credentials.Client.UserProject is { } project)
        {
            request.Headers.Remove("x-goog-user-project");
            request.Headers.TryAddWithoutValidation("x-goog-user-project", project);
        }
    }

    protected override ValueTask<bool> RenewAsync(HttpResponseMessage errorResponse, CancellationToken cancellationToken) =>
        errorResponse.StatusCode == HttpStatusCode.Unauthorized
            ? _credentials.RenewAsync(errorResponse, Display, cancellationToken)
            : new(false);

    protected override ValueTask<WeightSourceException?> ExplainAsync(HttpResponseMessage errorResponse, CancellationToken cancellationToken) =>
        GcsErrorResponse.ExplainAsync(errorResponse, this, _uri, _credentials.Client, cancellationToken);
}
