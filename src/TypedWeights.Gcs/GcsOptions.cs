using Google.Apis.Auth.OAuth2;
using Google.Cloud.Storage.V1;
using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>How Google Cloud Storage is reached. Options that are not set come from the environment, as in every Google library.</summary>
public sealed record GcsOptions
{
    /// <summary>
    /// An existing client of the application. Its credentials, with their scopes and their quota project, and its base URI
    /// are used; ranges are read over the loader's own connections. The client is not disposed.
    /// </summary>
    /// <value>null: a client is built from the other options. With a client, only <see cref="UserProject"/> may be set beside it.</value>
    public StorageClient? Client { get; init; }

    /// <summary>The credentials. They are requested with the read-only scope, and a new token is requested whenever one expires.</summary>
    /// <value>
    /// null: the application default credentials (<c>GOOGLE_APPLICATION_CREDENTIALS</c>, those of <c>gcloud auth application-default
    /// login</c>, the metadata server); if none are found, requests are sent without credentials, which public buckets accept.
    /// </value>
    public GoogleCredential? Credential { get; init; }

    /// <summary>Whether only public objects are read, without looking for credentials.</summary>
    /// <value>false</value>
    public bool Anonymous { get; init; }

    /// <summary>The project that pays for reads from a bucket whose owner does not (requester pays).</summary>
    /// <value>null: the quota project of the credentials if they have one, otherwise the owner.</value>
    public string? UserProject { get; init; }

    /// <summary>The address of the service, such as an emulator, a private endpoint or another Google cloud.</summary>
    /// <value>
    /// null: <c>STORAGE_EMULATOR_HOST</c>, which is used without credentials; otherwise <c>https://storage.</c> and the universe domain of
    /// the credentials, which is almost always <c>googleapis.com</c>.
    /// </value>
    public Uri? Endpoint { get; init; }

    /// <summary>Throws if a value is not valid.</summary>
    /// <exception cref="ArgumentException">One of the values is not valid; the message names it.</exception>
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
