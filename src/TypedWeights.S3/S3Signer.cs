using System.Globalization;
using System.Text;
using Amazon.Runtime;
using Amazon.Runtime.Internal.Auth;

namespace TypedWeights.Sources.S3;

/// <summary>
/// Signs GET requests (AWS Signature Version 4). The text to sign is composed here, as the SDK signs only requests of its own clients; the
/// signature is the SDK's. A request costs a few hashes of a few hundred bytes.
/// </summary>
/// <param name="time">The loader's clock. If a server refuses its time, the time of the server counts.</param>
internal sealed class S3Signer(TimeProvider time)
{
    // The body of a GET is empty, and nobody else can add one to a TLS connection.
    private const string Payload = "UNSIGNED-PAYLOAD";

    private long _offset;

    private DateTime UtcNow => time.GetUtcNow().UtcDateTime + new TimeSpan(Interlocked.Read(ref _offset));

    public void Sign(HttpRequestMessage request, ImmutableCredentials keys, string region, bool requesterPays)
    {
        Uri address = request.RequestUri!;
        DateTime now = UtcNow;
        string date = now.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        Set(request, "x-amz-content-sha256", Payload);
        Set(request, "x-amz-date", date);
        var canonical = new StringBuilder(512)
            .Append("GET\n").Append(address.AbsolutePath).Append('\n')
            .Append(address.Query.Length > 1 ? address.Query.AsSpan(1) : "").Append('\n')
            .Append("host:").Append(address.Authority).Append('\n')
            .Append("x-amz-content-sha256:").Append(Payload).Append('\n')
            .Append("x-amz-date:").Append(date).Append('\n');
        string signed = "host;x-amz-content-sha256;x-amz-date";
        if (requesterPays)
        {
            Set(request, "x-amz-request-payer", "requester");
            canonical.Append("x-amz-request-payer:requester\n");
            signed += ";x-amz-request-payer";
        }

        if (keys.UseToken)
        {
            Set(request, "x-amz-security-token", keys.Token);
            canonical.Append("x-amz-security-token:").Append(keys.Token).Append('\n');
            signed += ";x-amz-security-token";
        }

        canonical.Append('\n').Append(signed).Append('\n').Append(Payload);
        AWS4SigningResult result = AWS4Signer.ComputeSignature(keys, region, now, "s3", signed, canonical.ToString());
        Set(request, "Authorization", result.ForAuthorizationHeader);
    }

    /// <summary>Adopts the server's time.</summary>
    /// <returns>Whether that makes a difference.</returns>
    public bool SetClock(HttpResponseMessage errorResponse)
    {
        bool isOff = errorResponse.Headers.Date is { } date && (date.UtcDateTime - UtcNow).Duration() > TimeSpan.FromMinutes(1);
        if (isOff)
        {
            Interlocked.Exchange(ref _offset, (errorResponse.Headers.Date!.Value - time.GetUtcNow()).Ticks);
        }

        return isOff;
    }

    /// <summary>The keys and the region that a request was signed with, as far as its headers show them; null if it is unsigned.</summary>
    public static (string? AccessKey, string? Token, string? Region) Read(HttpRequestMessage? request)
    {
        // AWS4-HMAC-SHA256 Credential=KEY/20260101/eu-west-1/s3/aws4_request, …
        string[] scope = (Value(request, "Authorization") ?? "").Split("Credential=")[^1].Split('/');
        return scope.Length > 3 ? (scope[0], Value(request, "x-amz-security-token"), scope[2]) : (null, null, null);
    }

    private static string? Value(HttpRequestMessage? request, string name) =>
        request is not null && request.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;

    private static void Set(HttpRequestMessage request, string name, string value)
    {
        request.Headers.Remove(name);
        request.Headers.TryAddWithoutValidation(name, value);
    }
}
