using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>How the Hugging Face hub is reached. Options that are not set come from the environment variables of the hub's own tools.</summary>
public sealed record HuggingFaceOptions
{
    /// <summary>The access token. It is sent only to <see cref="Endpoint"/>, never to an address that it redirects to.</summary>
    /// <value>
    /// null: <c>HF_TOKEN</c>, <c>HUGGING_FACE_HUB_TOKEN</c>, or the saved token: the file that <c>HF_TOKEN_PATH</c> names, otherwise
    /// <c>token</c> in <c>HF_HOME</c>.
    /// </value>
    public string? Token { get; init; }

    /// <summary>The hub's address.</summary>
    /// <value>null: <c>HF_ENDPOINT</c>, otherwise <c>https://huggingface.co</c>.</value>
    public Uri? Endpoint { get; init; }

    /// <summary>Whether only the hub's own cache folder is used and no request is sent.</summary>
    /// <value>null: <c>HF_HUB_OFFLINE</c>, otherwise <c>TRANSFORMERS_OFFLINE</c> (1, on, yes or true).</value>
    public bool? Offline { get; init; }

    /// <summary>The hub's own cache folder, which contains what its tools downloaded. It is read and never written. If the hub
    /// cannot be reached, the files in it are used, with a warning.</summary>
    /// <value>
    /// null: <c>HF_HUB_CACHE</c>, <c>HUGGINGFACE_HUB_CACHE</c>, otherwise <c>hub</c> in <c>HF_HOME</c>, which is
    /// <c>~/.cache/huggingface</c> unless set.
    /// </value>
    public string? CacheFolder { get; init; }

    /// <summary>Throws if a value is not valid.</summary>
    /// <exception cref="ArgumentException">One of the values is not valid; the message names it.</exception>
    internal void Validate()
    {
        OptionValue.ThrowUnlessHttp(Endpoint, nameof(Endpoint));
        OptionValue.ThrowUnlessSendable(Token, nameof(Token));
        OptionValue.ThrowIfBlank(CacheFolder, nameof(CacheFolder));
    }
}
