using Azure;
using Azure.Core;
using Azure.Storage;
using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>
/// How Azure Blob Storage is reached. What is not set here comes from the environment, by the names that the <c>az</c> command line has.
/// </summary>
/// <remarks>
/// The first of these that there is for an account is used: a shared access signature in the URI, <see cref="Anonymous"/>,
/// <see cref="SharedKey"/>, <see cref="Sas"/>, <see cref="ConnectionString"/>, <see cref="Credential"/>; then the variables
/// <c>AZURE_STORAGE_CONNECTION_STRING</c>, <c>AZURE_STORAGE_KEY</c> with <c>AZURE_STORAGE_ACCOUNT</c>, <c>AZURE_STORAGE_SAS_TOKEN</c>;
/// then <c>DefaultAzureCredential</c>, and no credentials at all where that has none.
/// </remarks>
public sealed record AzureBlobsOptions
{
    /// <summary>
    /// The address of the blob service, in which <c>{account}</c> stands for the account: <c>https://{account}.blob.core.usgovcloudapi.net</c>,
    /// <c>http://127.0.0.1:10000/{account}</c>.
    /// </summary>
    /// <value>
    /// null: the one of the connection string, where that is the account's; otherwise <c>https://{account}.blob.core.windows.net</c>.
    /// </value>
    public string? Endpoint { get; init; }

    /// <summary>Gives tokens of Microsoft Entra ID; they go to https addresses alone.</summary>
    /// <value>null: <c>DefaultAzureCredential</c>, where nothing else is set.</value>
    public TokenCredential? Credential { get; init; }

    /// <summary>The key of an account, used for that account alone.</summary>
    /// <value>null</value>
    public StorageSharedKeyCredential? SharedKey { get; init; }

    /// <summary>
    /// A shared access signature. <see cref="AzureSasCredential.Update"/> renews it while a load runs. It goes to every account that is
    /// asked for unless <see cref="SasAccount"/> is set.
    /// </summary>
    /// <value>null: <c>AZURE_STORAGE_SAS_TOKEN</c>, where nothing else is set.</value>
    public AzureSasCredential? Sas { get; init; }

    /// <summary>The account that <see cref="Sas"/> is for.</summary>
    /// <value>null: any; for the variable <c>AZURE_STORAGE_SAS_TOKEN</c> the account that <c>AZURE_STORAGE_ACCOUNT</c> names.</value>
    public string? SasAccount { get; init; }

    /// <summary>
    /// A connection string, used for its own account alone: key or signature, and the address. <c>UseDevelopmentStorage=true</c> is Azurite.
    /// </summary>
    /// <value>null: <c>AZURE_STORAGE_CONNECTION_STRING</c></value>
    public string? ConnectionString { get; init; }

    /// <summary>Whether only public containers are read, without looking for credentials.</summary>
    /// <value>false</value>
    public bool Anonymous { get; init; }

    /// <summary>
    /// Whether https URLs of blobs (<c>https://account.blob.core.windows.net/container/blob</c>, those of the other clouds, and those
    /// under <see cref="Endpoint"/> if it has the account in its host) are read with these credentials too. A URL with a signature of its
    /// own needs none and stays as it is.
    /// </summary>
    /// <value>false: they are read as any other URL.</value>
    public bool BlobUrls { get; init; }

    /// <summary>Throws where a value makes no sense.</summary>
    /// <exception cref="ArgumentException">One of the values can mean nothing; the message names it.</exception>
    internal void Validate()
    {
        OptionValue.ThrowIfBlank(SasAccount, nameof(SasAccount));
        OptionValue.ThrowIfControl(SasAccount, nameof(SasAccount));
        OptionValue.ThrowIfBlank(ConnectionString, nameof(ConnectionString));
        OptionValue.ThrowIfControl(ConnectionString, nameof(ConnectionString));
        OptionValue.ThrowIfControl(Sas?.Signature, nameof(Sas));
        OptionValue.ThrowIfControl(Endpoint, nameof(Endpoint));
        if (Endpoint is not null)
        {
            Uri.TryCreate(Endpoint.Replace("{account}", "account", StringComparison.Ordinal), UriKind.RelativeOrAbsolute, out Uri? address);
            OptionValue.ThrowUnlessHttp(address ?? new Uri("/", UriKind.Relative), nameof(Endpoint));
        }
    }
}
