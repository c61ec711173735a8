using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>How the Hugging Face hub is reached. What is not set here comes from the environment, by the names its own tools have.</summary>
public sealed record HuggingFaceOptions
{
    /// <summary>The access token. It goes to <see cref="Endpoint"/> alone, never to where that redirects.</summary>
    /// <value>
    /// null: <c>HF_TOKEN</c>, <c>HUGGING_FACE_HUB_TOKEN</c>, or the saved login: the file <c>HF_TOKEN_PATH</c> names, otherwise
    /// <c>token</c> in <c>HF_HOME</c>.
    /// </value>
    public string? Token { get; init; }

    /// <summary>The hub's address.</summary>
    /// <value>null: <c>HF_ENDPOINT</c>, otherwise <c>https://huggingface.co</c>.</value>
    public Uri? Endpoint { get; init; }

    /// <summary>Whether only the hub's own cache folder is used and nothing is asked for.</summary>
    /// <value>null: <c>HF_HUB_OFFLINE</c>, otherwise <c>TRANSFORMERS_OFFLINE</c> (1, on, yes or true).</value>
    public bool? Offline { get; init; }

    /// <summary>The hub's own cache folder, in which its tools keep what they downloaded. It is read and never written. Where the hub
    /// cannot be reached, what it holds is used with a warning.</summary>
    /// <value>
    /// null: <c>HF_HUB_CACHE</c>, <c>HUGGINGFACE_HUB_CACHE</c>, otherwise <c>hub</c> in <c>HF_HOME</c>, which is
    /// <c>~/.cache/huggingface</c> unless set.
    /// </value>
    public string? CacheFolder { get; init; }

    /// <summary>Throws where a value makes no sense.</summary>
    /// <exception cref="ArgumentException">One of the values can mean nothing; the message names it.</exception>
    internal void Validate()
    {
        OptionValue.ThrowUnlessHttp(Endpoint, nameof(Endpoint));
        OptionValue.ThrowUnlessSendable(Token, nameof(Token));
        OptionValue.ThrowIfBlank(CacheFolder, nameof(CacheFolder));
    }
}
