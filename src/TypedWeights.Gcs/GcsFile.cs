using System.Net;

namespace TypedWeights.Sources.Gcs;

/// <summary>One object, by the service's XML interface: plain ranges, a strong ETag, and the generation in every answer.</summary>
internal sealed class GcsFile : StoreFile
{
    private readonly GcsLogin _login;
    private readonly GcsUri _uri;
    private readonly string _plain;

    /// <param name="login">Address and login.</param>
    /// <param name="uri">What was asked for.</param>
    /// <param name="name">The name in its folder.</param>
    /// <param name="generation">The generation that it must be; null for the current one.</param>
    public GcsFile(GcsLogin login, GcsUri uri, string name, string? generation)
        : base(uri.Display + name)
    {
        _login = login;
        _uri = uri;
        Version = generation;
        string path = string.Join('/', (uri.Folder + name).Split('/').Select(Uri.EscapeDataString));
        _plain = $"{login.Client.Endpoint.AbsoluteUri.TrimEnd('/')}/{Uri.EscapeDataString(uri.Bucket)}/{path}";
        Address = generation is null ? At(_plain) : AddressAt(generation);
    }

    public override Uri Address { get; }

    protected override Uri AddressAt(string version) => At($"{_plain}?generation={Uri.EscapeDataString(version)}");

    protected override string? VersionOf(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("x-goog-generation", out IEnumerable<string>? values) ? values.First() : null;

    protected override async ValueTask AuthorizeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await _login.AuthorizeAsync(request, Display, cancellationToken).ConfigureAwait(false);
        if (_login.Client.UserProject is { } project)
        {
            request.Headers.Remove("x-goog-user-project");
            request.Headers.TryAddWithoutValidation("x-goog-user-project", project);
        }
    }

    protected override ValueTask<bool> RenewAsync(HttpResponseMessage refusal, CancellationToken cancellationToken) =>
        refusal.StatusCode == HttpStatusCode.Unauthorized
            ? _login.RenewAsync(refusal, Display, cancellationToken)
            : new(false);

    protected override ValueTask<WeightSourceException?> ExplainAsync(HttpResponseMessage refusal, CancellationToken cancellationToken) =>
        GcsErrorResponse.ExplainAsync(refusal, this, _uri, _login.Client, cancellationToken);

    // An object's name may have "//" or "/../" in it, which are not ours to tidy.
    private static Uri At(string text) => new(text, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
}
