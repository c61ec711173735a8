using System.Globalization;
using System.Net;
using Amazon.Runtime;
using Amazon.Runtime.Internal.Auth;
using Amazon.S3;
using Amazon.S3.Model;

namespace TypedWeights.Tests.Stores.S3;

/// <summary>A bucket of its own on a real gateway of Ceph (tests/servers/ceph.sh), filled by Amazon's own client.</summary>
internal sealed class CephBucket : IAsyncDisposable
{
    private readonly AmazonS3Client _client;

    private CephBucket(string endpoint, string key, string secret)
    {
        Endpoint = new Uri(endpoint);
        Keys = new BasicAWSCredentials(key, secret);
        _client = new AmazonS3Client(Keys, new AmazonS3Config { ServiceURL = endpoint, ForcePathStyle = true });
    }

    public string Name { get; } = $"weights-{Guid.NewGuid():N}";

    public Uri Endpoint { get; }

    public BasicAWSCredentials Keys { get; }

    public S3Options Options => new() { Endpoint = Endpoint, Credentials = Keys };

    public static async Task<CephBucket> CreateAsync()
    {
        const string Script = "ceph.sh";
        var bucket = new CephBucket(
            TestServer.Require("TYPEDWEIGHTS_TEST_S3", Script),
            TestServer.Require("TYPEDWEIGHTS_TEST_S3_KEY", Script),
            TestServer.Require("TYPEDWEIGHTS_TEST_S3_SECRET", Script));
        await bucket._client.PutBucketAsync(bucket.Name, TestContext.Current.CancellationToken);
        return bucket;
    }

    public string Uri(string key) => $"s3://{Name}/{key}";

    /// <summary>Puts an object.</summary>
    /// <returns>Its version, where the bucket has versions.</returns>
    public async Task<string?> PutAsync(string key, byte[] bytes, bool isPublic = false)
    {
        PutObjectResponse answer = await _client.PutObjectAsync(
            new PutObjectRequest
            {
                BucketName = Name,
                Key = key,
                InputStream = new MemoryStream(bytes),
                UseChunkEncoding = false,
                CannedACL = isPublic ? S3CannedACL.PublicRead : null,
            },
            TestContext.Current.CancellationToken);
        return answer.VersionId;
    }

    public Task EnableVersionsAsync() => _client.PutBucketVersioningAsync(
        new PutBucketVersioningRequest { BucketName = Name, VersioningConfig = new() { Status = VersionStatus.Enabled } },
        TestContext.Current.CancellationToken);

    /// <summary>Makes another key of the same user.</summary>
    public async Task<BasicAWSCredentials> CreateKeyAsync()
    {
        string key = $"TEMP{Guid.NewGuid():N}"[..20];
        await AdminAsync(HttpMethod.Put, $"access-key={key}&generate-key=false&key=&key-type=s3&secret-key={key}secret&uid=tw");
        return new BasicAWSCredentials(key, key + "secret");
    }

    /// <summary>Takes a key away: the gateway refuses it from now on.</summary>
    public Task RemoveKeyAsync(BasicAWSCredentials keys) =>
        AdminAsync(HttpMethod.Delete, $"access-key={keys.GetCredentials().AccessKey}&key=&key-type=s3&uid=tw");

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AdminAsync(HttpMethod method, string query)
    {
        DateTime now = DateTime.UtcNow;
        string date = now.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        const string Signed = "host;x-amz-content-sha256;x-amz-date";
        string canonical = $"{method}\n/admin/user\n{query}\nhost:{Endpoint.Authority}\nx-amz-content-sha256:UNSIGNED-PAYLOAD\n"
            + $"x-amz-date:{date}\n\n{Signed}\nUNSIGNED-PAYLOAD";
        using var request = new HttpRequestMessage(method, $"{Endpoint}admin/user?{query}");
        request.Headers.Add("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        request.Headers.Add("x-amz-date", date);
        request.Headers.TryAddWithoutValidation(
            "Authorization",
            AWS4Signer.ComputeSignature(Keys.GetCredentials(), "us-east-1", now, "s3", Signed, canonical).ForAuthorizationHeader);
        using var http = new HttpClient();
        using HttpResponseMessage answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
