using TypedWeights.Sources.HuggingFace;
using TypedWeights.Sources.Stores;

namespace TypedWeights;

/// <summary>The Hugging Face hub for loaders.</summary>
public static class HuggingFaceExtensions
{
    /// <summary>Gives <c>hf://</c> other options than the environment's; without this call it is there with those.</summary>
    /// <param name="builder">A loader's builder.</param>
    /// <param name="options">Token, endpoint, cache folder.</param>
    /// <exception cref="ArgumentException">One of the values can mean nothing; the message names it.</exception>
    public static TBuilder UseHuggingFace<TBuilder>(this TBuilder builder, HuggingFaceOptions options)
        where TBuilder : IWeightSourceBuilder
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        builder.AddSource(context => new HuggingFaceProvider(context, options));
        return builder;
    }
}
