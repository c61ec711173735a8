using Amazon;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.S3;

/// <summary>A bucket and where it is: the region may turn out to be another one, for all its files at once.</summary>
internal sealed class S3Bucket
{
    private readonly S3Settings _settings;
    private readonly SdkGuard _guard;
    private readonly S3Uri _uri;
    private volatile Place _place;

    /// <exception cref="WeightSourceException">The region's or the bucket's name is none.</exception>
    public S3Bucket(S3Settings settings, SdkGuard guard, S3Uri uri)
    {
        _settings = settings;
        _guard = guard;
        _uri = uri;
        (string region, string origin) = settings.RegionFor(uri);
        _place = At(region, origin);
    }

    /// <summary>The region that requests are signed for.</summary>
    public string Region => _place.Region;

    /// <summary>Stands for where the bucket is: another object when that has changed.</summary>
    public object Where => _place;

    /// <summary>Where a key lies.</summary>
    public Uri Address(string key, string? query)
    {
        string escaped = string.Join('/', key.Split('/').Select(Uri.EscapeDataString));

        // A key may have "//" or "/../" in it, which are not ours to tidy.
        return new Uri(_place.Base + escaped + query, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }

    /// <summary>Takes over the region that an answer names.</summary>
    /// <param name="region">The region.</param>
    /// <param name="asked">The region that was asked.</param>
    /// <returns>Whether it is another than that.</returns>
    public bool MoveTo(string region, string asked)
    {
        if (region == asked || !region.All(static c => char.IsAsciiLetterOrDigit(c) || c == '-'))
        {
            return false;
        }

        if (_place.Region != region)
        {
            _place = At(region, "the server");
        }

        return true;
    }

    private Place At(string region, string origin)
    {
        Uri endpoint = _settings.Endpoint ?? _guard.Call(
            new SdkCall(_uri.Display + _uri.File, $"the region {region} ({origin})"),
            () => new Uri($"https://s3.{region}.{RegionEndpoint.GetBySystemName(region).PartitionDnsSuffix}"));
        string root = endpoint.AbsoluteUri.TrimEnd('/');
        string text = _settings.IsPathStyle(_uri.Bucket)
            ? $"{root}/{_uri.Bucket}/"
            : _guard.Call(
                new SdkCall(_uri.Display + _uri.File, $"the bucket's name {_uri.Bucket} in the host {endpoint.Host}"),
                () => new UriBuilder(root) { Host = $"{_uri.Bucket}.{endpoint.Host}" }.Uri.AbsoluteUri.TrimEnd('/') + "/");
        return new Place(region, text);
    }

    /// <param name="Region">The region.</param>
    /// <param name="Base">The address of the empty key.</param>
    private sealed record Place(string Region, string Base);
}
