using Google.Apis.Auth.OAuth2;
using Google.Cloud.Storage.V1;
using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>How Google Cloud Storage is reached. What is not set here comes from the environment, as for every Google library.</summary>
public sealed record GcsOptions
{
    /// <summary>
    /// The client that the application has already. Its credentials, with the scopes and the quota project that they have, and its base URI
    /// are used; the ranges go over the loader's own connections. It is not disposed.
    /// </summary>
    /// <value>null: a client is built from the other options. With a client, only <see cref="UserProject"/> may be set beside it.</value>
    public StorageClient? Client { get; init; }

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
    /// null: <c>STORAGE_EMULATOR_HOST</c>, which is asked without credentials; otherwise <c>https://storage.</c> and the universe domain of
    /// the credentials, which nearly always is <c>googleapis.com</c>.
    /// </value>
    public Uri? Endpoint { get; init; }

    /// <summary>Throws where a value makes no sense.</summary>
    /// <exception cref="ArgumentException">One of the values can mean nothing; the message names it.</exception>
    internal void Validate()
    {
        if (Client is not null && (Credential is not null || Anonymous || Endpoint is not null))
        {
            throw new ArgumentException("Client has its own credentials and address; set no other option but UserProject beside it.", nameof(Client));
        }

        OptionValue.ThrowUnlessHttp(Endpoint, nameof(Endpoint));
        OptionValue.ThrowIfBlank(UserProject, nameof(UserProject));
        OptionValue.ThrowUnlessSendable(UserProject, nameof(UserProject));
    }
}
