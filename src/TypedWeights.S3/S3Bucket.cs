using Amazon;

namespace TypedWeights.Sources.S3;

/// <summary>A bucket and where it is: the region may turn out to be another one, for all its files at once.</summary>
internal sealed class S3Bucket
{
    private readonly S3Settings _settings;
    private readonly string _name;
    private volatile Place _place;

    public S3Bucket(S3Settings settings, S3Uri uri)
    {
        _settings = settings;
        _name = uri.Bucket;
        _place = At(settings.RegionFor(uri));
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
            _place = At(region);
        }

        return true;
    }

    private Place At(string region)
    {
        Uri endpoint = _settings.Endpoint ?? new Uri($"https://s3.{region}.{RegionEndpoint.GetBySystemName(region).PartitionDnsSuffix}");
        string root = endpoint.AbsoluteUri.TrimEnd('/');
        string text = _settings.IsPathStyle(_name)
            ? $"{root}/{_name}/"
            : new UriBuilder(root) { Host = $"{_name}.{endpoint.Host}" }.Uri.AbsoluteUri.TrimEnd('/') + "/";
        return new Place(region, text);
    }

    /// <param name="Region">The region.</param>
    /// <param name="Base">The address of the empty key.</param>
    private sealed record Place(string Region, string Base);
}
