using TypedWeights.Sources.Gcs;
using TypedWeights.Sources.Stores;

namespace TypedWeights;

/// <summary>Google Cloud Storage for loaders.</summary>
public static class GcsExtensions
{
    /// <summary>
    /// Sets options for <c>gs://bucket/object</c>. An application that references the package has the store
    /// without this call.
    /// </summary>
    /// <typeparam name="TBuilder">The builder's type.</typeparam>
    /// <param name="builder">A loader's builder.</param>
    /// <param name="options">Credentials and address; null for those of the environment.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentException">One of the values is not valid; the message names it.</exception>
    public static TBuilder UseGcs<TBuilder>(this TBuilder builder, GcsOptions? options = null)
        where TBuilder : IWeightSourceBuilder
    {
        // The check loads the SDK whose types the options have; defaults need no check.
        options?.Validate();
        options ??= new GcsOptions();
        builder.AddSource(context => new GcsProvider(context, options));
        return builder;
    }
}
