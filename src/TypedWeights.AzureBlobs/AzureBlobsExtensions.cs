using TypedWeights.Sources.AzureBlobs;
using TypedWeights.Sources.Stores;

namespace TypedWeights;

/// <summary>Azure Blob Storage for loaders.</summary>
public static class AzureBlobsExtensions
{
    /// <summary>
    /// Sets options for <c>az://account/container/blob</c>. An application that references the package has the
    /// store without this call.
    /// </summary>
    /// <typeparam name="TBuilder">The builder's type.</typeparam>
    /// <param name="builder">A loader's builder.</param>
    /// <param name="options">Credentials and address; null for those of the environment.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentException">One of the values is not valid; the message names it.</exception>
    public static TBuilder UseAzureBlobs<TBuilder>(this TBuilder builder, AzureBlobsOptions? options = null)
        where TBuilder : IWeightSourceBuilder
    {
        // The check loads the SDK whose types the options have; defaults need no check.
        options?.Validate();
        options ??= new AzureBlobsOptions();
        builder.AddSource(context => new AzureBlobsProvider(context, options));
        return builder;
    }
}
