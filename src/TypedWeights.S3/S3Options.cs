using Amazon.Runtime;
using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>How S3 is reached. What is not set here comes from the environment and the profile, as for every AWS SDK.</summary>
public sealed record S3Options
{
    /// <summary>The credentials. Those of the SDK that refresh themselves do so also in the middle of a load.</summary>
    /// <value>
    /// null: the SDK's chain (environment, profiles with SSO, assumed roles and <c>credential_process</c>, web identity, container and
    /// instance roles); where that finds none, requests go unsigned, which public buckets answer.
    /// </value>
    public AWSCredentials? Credentials { get; init; }

    /// <summary>Whether requests go unsigned whatever credentials there are.</summary>
    /// <value>false</value>
    public bool Anonymous { get; init; }

    /// <summary>The profile of the shared configuration files.</summary>
    /// <value>null: <c>AWS_PROFILE</c>, otherwise <c>default</c>.</value>
    public string? Profile { get; init; }

    /// <summary>The region to ask first. A bucket in another one says where it is, and is asked there.</summary>
    /// <value>
    /// null: <c>?region=</c> of the URI, <c>AWS_REGION</c>, <c>AWS_DEFAULT_REGION</c>, the profile's, otherwise <c>us-east-1</c>.
    /// </value>
    public string? Region { get; init; }

    /// <summary>A server other than Amazon's that speaks S3: MinIO, Ceph, R2.</summary>
    /// <value>
    /// null: <c>AWS_ENDPOINT_URL_S3</c>, <c>AWS_ENDPOINT_URL</c>, the profile's <c>endpoint_url</c>, otherwise Amazon's for the region.
    /// </value>
    public Uri? Endpoint { get; init; }

    /// <summary>Whether the bucket stands in the path and not in the host's name.</summary>
    /// <value>null: with an endpoint of one's own, and for buckets with a dot in their name.</value>
    public bool? PathStyle { get; init; }

    /// <summary>Whether the account of the credentials pays for what is read from a bucket that asks for that.</summary>
    /// <value>false</value>
    public bool RequesterPays { get; init; }

    /// <summary>Throws where a value makes no sense.</summary>
    /// <exception cref="ArgumentException">One of the values can mean nothing; the message names it.</exception>
    internal void Validate()
    {
        OptionValue.ThrowUnlessHttp(Endpoint, nameof(Endpoint));
        OptionValue.ThrowIfBlank(Profile, nameof(Profile));
        OptionValue.ThrowIfBlank(Region, nameof(Region));
    }
}
