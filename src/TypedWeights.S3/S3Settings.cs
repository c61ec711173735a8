using Amazon.Runtime.CredentialManagement;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.S3;

/// <summary>Region, endpoint and credentials, by options, environment and profile. Read once for a loader.</summary>
internal sealed class S3Settings
{
    private const string FirstRegion = "us-east-1";

    private readonly S3Options _options;
    private readonly S3Profile _where;
    private readonly CredentialProfile? _profile;

    /// <param name="options">The options, which come first.</param>
    /// <param name="context">The loader's log.</param>
    /// <param name="guard">Calls the SDK.</param>
    /// <param name="display">The file that they are first needed for.</param>
    /// <exception cref="WeightSourceException">A setting cannot be read or is malformed; the message names it.</exception>
    public S3Settings(S3Options options, StoreContext context, SdkGuard guard, string display)
    {
        _options = options;
        Guard = guard;
        Credentials = new S3Credentials(options, guard);
        Signer = new S3Signer(context.Time);
        _where = S3Profile.Of(options);
        _profile = ReadProfile(context, guard, display);
        (string Text, string Origin)? configured = options.Endpoint is null ? ConfiguredEndpoint() : null;
        Endpoint = options.Endpoint ?? (configured is { } found ? FromText(found.Text, found.Origin, display) : null);
        if (_profile?.Services is { } services && Endpoint is null)
        {
            context.Note(
                display, $"the section services {services} of {_where.Setting} is not supported; set the endpoint in AWS_ENDPOINT_URL_S3.");
        }
    }

    public SdkGuard Guard { get; }

    public S3Credentials Credentials { get; }

    public S3Signer Signer { get; }

    /// <summary>A server other than Amazon's; null for Amazon.</summary>
    public Uri? Endpoint { get; }

    public bool RequesterPays => _options.RequesterPays;

    /// <summary>Whether a variable is <c>true</c>.</summary>
    public static bool IsTrue(string variable) => string.Equals(StoreSetting.Of(variable), "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>The region to request first, and what sets it.</summary>
    public (string Name, string Origin) RegionFor(S3Uri uri) =>
        _options.Region is { } given ? (given, "S3Options.Region")
        : uri.Region is { } named ? (named, "?region= of the URI")
        : StoreSetting.Of("AWS_REGION") is { } variable ? (variable, "AWS_REGION")
        : StoreSetting.Of("AWS_DEFAULT_REGION") is { } other ? (other, "AWS_DEFAULT_REGION")
        : _profile?.Region?.SystemName is { } region ? (region, _where.Setting)
        : (FirstRegion, "the default");

    /// <summary>Whether the bucket is in the path: a name with a dot fits no certificate for names one level deep.</summary>
    public bool IsPathStyle(string bucket) => _options.PathStyle ?? (Endpoint is not null || bucket.Contains('.', StringComparison.Ordinal));

    // A mistake in the files is a warning: a load with keys from elsewhere can do without them, and any other fails when it looks for its keys.
    private CredentialProfile? ReadProfile(StoreContext context, SdkGuard guard, string display)
    {
        try
        {
            return _where.Read(guard, display);
        }
        catch (WeightSourceException e)
        {
            context.Note(display, $"the region and endpoint of the profile are ignored. {e.Message[(display.Length + ": ".Length)..]}");
            return null;
        }
    }

    private (string Text, string Origin)? ConfiguredEndpoint()
    {
        const string Ignore = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", Own = "AWS_ENDPOINT_URL_S3", All = "AWS_ENDPOINT_URL";
        bool isIgnored = StoreSetting.Of(Ignore) is null ? _profile?.IgnoreConfiguredEndpointUrls ?? false : IsTrue(Ignore);
        return isIgnored ? null
            : StoreSetting.Of(Own) is { } own ? (own, Own)
            : StoreSetting.Of(All) is { } all ? (all, All)
            : _profile?.EndpointUrl is { Length: > 0 } text ? (text, $"endpoint_url of {_where.Setting}")
            : null;
    }

    // The text may hold a password and is not repeated.
    private static Uri FromText(string text, string origin, string display) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https" && address.Host.Length > 0
            ? address
            : throw new WeightSourceException(
                display, $"Amazon S3 cannot use {origin}: this is not an http or https URL; write https://host or https://host:port.");
}
