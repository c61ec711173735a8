using Amazon.Runtime.CredentialManagement;

namespace TypedWeights.Sources.S3;

/// <summary>Region and endpoint, by options, environment and profile. Read once for a loader.</summary>
internal sealed class S3Settings
{
    private const string FirstRegion = "us-east-1";

    private readonly S3SourceOptions _options;
    private readonly CredentialProfile? _profile;

    public S3Settings(S3SourceOptions options)
    {
        _options = options;
        string name = options.Profile ?? Variable("AWS_PROFILE") ?? "default";
        _profile = new CredentialProfileStoreChain().TryGetProfile(name, out CredentialProfile profile) ? profile : null;
        Endpoint = options.Endpoint ?? FromText(ConfiguredEndpoint());
    }

    /// <summary>A server other than Amazon's; null for Amazon.</summary>
    public Uri? Endpoint { get; }

    public bool RequesterPays => _options.RequesterPays;

    /// <summary>The region to ask first.</summary>
    public string RegionFor(S3Uri uri) => _options.Region ?? uri.Region ?? Variable("AWS_REGION") ?? Variable("AWS_DEFAULT_REGION")
        ?? _profile?.Region?.SystemName ?? FirstRegion;

    /// <summary>Whether the bucket stands in the path: a dot in its name fits no certificate for names one level deep.</summary>
    public bool IsPathStyle(string bucket) => _options.PathStyle ?? (Endpoint is not null || bucket.Contains('.', StringComparison.Ordinal));

    private string? ConfiguredEndpoint()
    {
        bool isIgnored = Variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") is { } text
            ? text.Equals("true", StringComparison.OrdinalIgnoreCase)
            : _profile?.IgnoreConfiguredEndpointUrls ?? false;
        return isIgnored ? null : Variable("AWS_ENDPOINT_URL_S3") ?? Variable("AWS_ENDPOINT_URL") ?? _profile?.EndpointUrl;
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? text : null;

    private static Uri? FromText(string? text) => text is null ? null
        : Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https" ? address
        : throw new WeightSourceException("AWS_ENDPOINT_URL", "this is not an http or https URL.");
}
