using Google.Apis.Auth.OAuth2;
using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>How Google Cloud Storage is reached. What is not set here comes from the environment, as for every Google library.</summary>
public sealed record GcsOptions
{
    /// <summary>The credentials. They are asked for the scope of reading alone, and for new tokens whenever one is over.</summary>
    /// <value>
    /// null: the application default credentials (<c>GOOGLE_APPLICATION_CREDENTIALS</c>, the login of <c>gcloud auth application-default
    /// login</c>, the metadata server); where there are none, requests go without, which public buckets answer.
    /// </value>
    public GoogleCredential? Credential { get; init; }

    /// <summary>Whether only public objects are read, without looking for credentials.</summary>
    /// <value>false</value>
    public bool Anonymous { get; init; }

    /// <summary>The project that pays for what is read from a bucket whose owner does not (requester pays).</summary>
    /// <value>null: nobody but the owner; the quota project of the credentials where they have one.</value>
    public string? UserProject { get; init; }

    /// <summary>The address of the service: an emulator, a private endpoint, another cloud of Google's.</summary>
    /// <value>
    /// null: <c>STORAGE_EMULATOR_HOST</c>, which is asked without credentials unless <see cref="Credential"/> is set; otherwise
    /// <c>https://storage.googleapis.com</c>.
    /// </value>
    public Uri? Endpoint { get; init; }

    /// <summary>Throws where a value makes no sense.</summary>
    /// <exception cref="ArgumentException">One of the values can mean nothing; the message names it.</exception>
    internal void Validate()
    {
        OptionValue.ThrowUnlessHttp(Endpoint, nameof(Endpoint));
        OptionValue.ThrowIfBlank(UserProject, nameof(UserProject));
        OptionValue.ThrowUnlessSendable(UserProject, nameof(UserProject));
    }
}
