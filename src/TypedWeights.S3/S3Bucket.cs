using Amazon;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.S3;

/// <summary>A bucket and its region: the region may turn out to be another one, for all its files at once.</summary>
internal sealed class S3Bucket
{
    private volatile Origin _origin;

    /// <exception cref="WeightSourceException">The name of the region or of the bucket is not valid.</exception>
    public S3Bucket(S3Settings settings, S3Uri uri)
    {
        Settings = settings;
        Uri = uri;
        (string region, string source) = settings.RegionFor(uri);
        _origin = At(region, source);
    }

    public S3Settings Settings { get; }

    public S3Uri Uri { get; }

    /// <summary>The region that requests are signed for.</summary>
    public string Region => _origin.Region;

    /// <summary>The address of the empty key, escaped: another object once the region has changed.</summary>
    public string Base => _origin.Base;

    /// <summary>Adopts the region that a response names.</summary>
    /// <param name="region">The region.</param>
    /// <param name="requestRegion">The region that the request was for.</param>
    /// <returns>Whether they differ.</returns>
    public bool MoveTo(string region, string requestRegion)
    {
        if (region == requestRegion || !region.All(static c => char.IsAsciiLetterOrDigit(c) || c == '-'))
        {
            return false;
        }

        if (_origin.Region != region)
        {
            _origin = At(region, "the server");
        }

        return true;
    }

    private Origin At(string region, string source)
    {
        string display = Uri.Display + Uri.File;
        Uri endpoint = Settings.Endpoint ?? Settings.Guard.Call(
            new SdkCall(display, $"the region {region} ({source})"),
            () => new Uri($"https://s3.{region}.{RegionEndpoint.GetBySystemName(region).PartitionDnsSuffix}"));
        string root = endpoint.AbsoluteUri.TrimEnd('/');
        return new Origin(region, Settings.IsPathStyle(Uri.Bucket)
            ? $"{root}/{Uri.Bucket}/"
            : Settings.Guard.Call(
                new SdkCall(display, $"the bucket's name {Uri.Bucket} in the host {endpoint.Host}"),
                () => new UriBuilder(root) { Host = $"{Uri.Bucket}.{endpoint.Host}" }.Uri.AbsoluteUri.TrimEnd('/') + "/"));
    }

    private sealed record Origin(string Region, string Base);
}
