using Amazon.Runtime;
using TypedWeights.Bench.Figures;
using TypedWeights.Bench.Files;
using TypedWeights.Opening;
using TypedWeights.Sources;

namespace TypedWeights.Bench.Http;

/// <summary>
/// The cost of signing every request for S3: the same file from the same nginx, as an object and as a URL. The server does not check
/// signatures, so only the client's work makes a difference.
/// </summary>
internal static class SignedSection
{
    public static async Task<IReadOnlyList<Figure>> RunAsync(Measurement measurement)
    {
        var url = new Uri(measurement.Url!);

        // The folder that nginx serves under this path serves as the bucket.
        string uri = $"s3://{Nginx.Bucket}/{ModelFile.Name}";
        var options = new S3Options
        {
            Credentials = new BasicAWSCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            Endpoint = new Uri(url.GetLeftPart(UriPartial.Authority)),
            PathStyle = true,
        };
        await using var touched = new TouchedMemory(measurement.Length);
        var plain = new Case("plain HTTP, touched memory", () => Sample.OfAsync(() => touched.FillAsync(measurement.Url!)));
        var signed = new Case(
            "S3, signed, touched memory", () => Sample.OfAsync(() => touched.FillAsync(uri, new SourceRegistryBuilder().UseS3(options))));
        await Interleaved.RunAsync([plain, signed], measurement.Rounds, measurement.Length);
        return [Figure.Speed("S3 → existing memory", signed.Measured, plain.Measured, measurement.Length, 0.95)];
    }
}
