using TypedWeights.Sources.S3;
using TypedWeights.Sources.Stores;

namespace TypedWeights;

/// <summary>Amazon S3 for loaders.</summary>
public static class S3Extensions
{
    /// <summary>
    /// Sets options for <c>s3://</c>. An application that references the package has the store without this
    /// call.
    /// </summary>
    /// <param name="builder">A loader's builder.</param>
    /// <param name="options">Credentials, region, endpoint; null for those of the environment.</param>
    /// <exception cref="ArgumentException">One of the values is not valid; the message names it.</exception>
    public static TBuilder UseS3<TBuilder>(this TBuilder builder, S3Options? options = null)
        where TBuilder : IWeightSourceBuilder
    {
        // The check loads the SDK whose types the options have; defaults need no check.
        options?.Validate();
        options ??= new S3Options();
        builder.AddSource(context => new S3Provider(context, options));
        return builder;
    }
}
