using Azure;
using Azure.Core;
using Azure.Storage;
using TypedWeights.Errors;

namespace TypedWeights;

/// <summary>
/// How Azure Blob Storage is reached. Options that are not set come from the environment variables of the <c>az</c> command line.
/// </summary>
/// <remarks>
/// The first of these that is set for an account is used: a shared access signature in the URI, <see cref="Anonymous"/>,
/// <see cref="SharedKey"/>, <see cref="Sas"/>, <see cref="ConnectionString"/>, <see cref="Credential"/>; then the variables
/// <c>AZURE_STORAGE_CONNECTION_STRING</c>, <c>AZURE_STORAGE_KEY</c> with <c>AZURE_STORAGE_ACCOUNT</c>, <c>AZURE_STORAGE_SAS_TOKEN</c>;
/// then <c>DefaultAzureCredential</c>; if that finds none, requests are sent without credentials.
/// </remarks>
public sealed record AzureBlobsOptions
{
    /// <summary>
    /// The address of the blob service, in which <c>{account}</c> is replaced by the account: <c>https://{account}.blob.core.usgovcloudapi.net</c>,
    /// <c>http://127.0.0.1:10000/{account}</c>.
    /// </summary>
    /// <value>
    /// null: the address in the connection string, if that is for the account; otherwise <c>https://{account}.blob.core.windows.net</c>.
    /// </value>
    public string? Endpoint { get; init; }

    /// <summary>Provides tokens of Microsoft Entra ID, which are sent only to https addresses.</summary>
    /// <value>null: <c>DefaultAzureCredential</c>, if nothing else is set.</value>
    public TokenCredential? Credential { get; init; }

    /// <summary>The key of an account, used only for that account.</summary>
    /// <value>null</value>
    public StorageSharedKeyCredential? SharedKey { get; init; }

    /// <summary>
    /// A shared access signature. <see cref="AzureSasCredential.Update"/> renews it during a load. It is sent to every account from which
    /// files are requested, unless <see cref="SasAccount"/> is set.
    /// </summary>
    /// <value>null: <c>AZURE_STORAGE_SAS_TOKEN</c>, if nothing else is set.</value>
    public AzureSasCredential? Sas { get; init; }

    /// <summary>The account that <see cref="Sas"/> is for.</summary>
    /// <value>null: any; for the variable <c>AZURE_STORAGE_SAS_TOKEN</c> the account that <c>AZURE_STORAGE_ACCOUNT</c> names.</value>
    public string? SasAccount { get; init; }

    /// <summary>
    /// A connection string with a key or signature and the address, used only for its own account. <c>UseDevelopmentStorage=true</c> is Azurite.
    /// </summary>
    /// <value>null: <c>AZURE_STORAGE_CONNECTION_STRING</c></value>
    public string? ConnectionString { get; init; }

    /// <summary>Whether only public containers are read, without looking for credentials.</summary>
    /// <value>false</value>
    public bool Anonymous { get; init; }

    /// <summary>
    /// Whether https URLs of blobs (<c>https://account.blob.core.windows.net/container/blob</c>, those of the other clouds, and those
    /// under <see cref="Endpoint"/> if it has the account in its host) are also read with these credentials. A URL that contains a
    /// signature is used unchanged.
    /// </summary>
    /// <value>false: they are read like any other URL.</value>
    public bool BlobUrls { get; init; }

    /// <summary>Throws if a value is not valid.</summary>
    /// <exception cref="ArgumentException">One of the values is not valid; the message names it.</exception>
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
