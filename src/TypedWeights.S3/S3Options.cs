using Amazon.Runtime;
using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>How S3 is reached. Options that are not set come from the environment and the profile, as in every AWS SDK.</summary>
public sealed record S3Options
{
    /// <summary>The credentials. Credentials of the SDK that refresh themselves also do so during a load.</summary>
    /// <value>
    /// null: the SDK's chain (environment, profiles with SSO, assumed roles and <c>credential_process</c>, web identity, container and
    /// instance roles); if it finds no credentials, requests are unsigned, which public buckets accept.
    /// </value>
    public AWSCredentials? Credentials { get; init; }

    /// <summary>Whether requests are unsigned even if credentials exist.</summary>
    /// <value>false</value>
    public bool Anonymous { get; init; }

    /// <summary>The profile of the shared configuration files.</summary>
    /// <value>null: <c>AWS_PROFILE</c>, otherwise <c>default</c>.</value>
    public string? Profile { get; init; }

    /// <summary>
    /// The region of the first request. If the bucket is in another region, the response names it, and the request is repeated there.
    /// </summary>
    /// <value>
    /// null: <c>?region=</c> of the URI, <c>AWS_REGION</c>, <c>AWS_DEFAULT_REGION</c>, the profile's, otherwise <c>us-east-1</c>.
    /// </value>
    public string? Region { get; init; }

    /// <summary>The address of another server with the S3 protocol: MinIO, Ceph, R2.</summary>
    /// <value>
    /// null: <c>AWS_ENDPOINT_URL_S3</c>, <c>AWS_ENDPOINT_URL</c>, the profile's <c>endpoint_url</c>, otherwise Amazon's for the region.
    /// </value>
    public Uri? Endpoint { get; init; }

    /// <summary>Whether the bucket is part of the path and not of the host name.</summary>
    /// <value>null: true if an endpoint is set, and for buckets with a dot in their name; otherwise false.</value>
    public bool? PathStyle { get; init; }

    /// <summary>Whether the account of the credentials pays for reads from a bucket that requires this (requester pays).</summary>
    /// <value>false</value>
    public bool RequesterPays { get; init; }

    /// <summary>Throws if a value is not valid.</summary>
    /// <exception cref="ArgumentException">One of the values is not valid; the message names it.</exception>
    internal void Validate()
    {
        OptionValue.ThrowUnlessHttp(Endpoint, nameof(Endpoint));
        OptionValue.ThrowIfBlank(Profile, nameof(Profile));
        OptionValue.ThrowIfBlank(Region, nameof(Region));
    }
}
