using TypedWeights.Sources.HuggingFace;
using TypedWeights.Sources.Stores;

namespace TypedWeights;

/// <summary>The Hugging Face hub for loaders.</summary>
public static class HuggingFaceExtensions
{
    /// <summary>Sets options for <c>hf://</c>; without this call it uses the options of the environment.</summary>
    /// <param name="builder">A loader's builder.</param>
    /// <param name="options">Token, endpoint, cache folder.</param>
    /// <exception cref="ArgumentException">One of the values is not valid; the message names it.</exception>
    public static TBuilder UseHuggingFace<TBuilder>(this TBuilder builder, HuggingFaceOptions options)
        where TBuilder : IWeightSourceBuilder
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        builder.AddSource(context => new HuggingFaceProvider(context, options));
        return builder;
    }
}
