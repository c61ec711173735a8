using Azure;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;
using TypedWeights.Errors;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>Finds the address and the credentials of an account, by options or by the environment.</summary>
/// <param name="options">The options, which come first.</param>
/// <param name="guard">Calls the SDK.</param>
internal sealed class BlobSettings(AzureBlobsOptions options, SdkGuard guard)
{
    /// <summary>The variable of an account's key.</summary>
    public const string Key = "AZURE_STORAGE_KEY";

    /// <summary>The variable of the account that the key or signature is for.</summary>
    public const string AccountName = "AZURE_STORAGE_ACCOUNT";

    private const string Connection = "AZURE_STORAGE_CONNECTION_STRING";
    private const string ConnectionOption = "AzureBlobsOptions.ConnectionString";
    private const string Sas = "AZURE_STORAGE_SAS_TOKEN";

    // The public cloud with its zones, China and the US government.
    private static readonly string[] Clouds =
        [".blob.core.windows.net", ".blob.storage.azure.net", ".blob.core.chinacloudapi.cn", ".blob.core.usgovcloudapi.net"];

    // Created once: it caches what it found out.
    private DefaultAzureCredential? _default;

    /// <summary>Creates the account of a blob.</summary>
    /// <param name="uri">A blob of the account.</param>
    /// <exception cref="WeightSourceException">As for <see cref="Find"/>.</exception>
    public BlobAccount CreateAccount(BlobUri uri)
    {
        (Uri service, BlobCredentials credentials) = Find(uri);
        return guard.Call(new SdkCall(uri.Display, credentials.Setting), () => new BlobAccount(service, credentials, guard));
    }

    /// <summary>The address of an account's blob service, and the credentials for it.</summary>
    /// <param name="uri">A blob of the account.</param>
    /// <exception cref="WeightSourceException">A setting is malformed; the message names it and does not repeat it.</exception>
    public (Uri Service, BlobCredentials Credentials) Find(BlobUri uri)
    {
        BlobConnection? given = Connect(options.ConnectionString, ConnectionOption, uri.Display);
        BlobConnection? set = Connect(Text(Connection, uri.Display), Connection, uri.Display);
        Uri service = Service(uri, ((BlobConnection?[])[given, set]).FirstOrDefault(connection => connection?.Account == uri.Account));
        BlobCredentials credentials = options.Anonymous && uri.Signature is null
            ? BlobCredentials.None("no credentials (AzureBlobsOptions.Anonymous)")
            : Credentials(uri, given, set);
        return !credentials.IsToken || service.Scheme == Uri.UriSchemeHttps ? (service, credentials)
            : credentials.PassedOver is not null
                ? (service, BlobCredentials.None("no credentials (tokens are sent only to https addresses)"))
            : throw new WeightSourceException(
                uri.Display, "tokens are sent only to https addresses; set a key or a shared access signature for this one.");
    }

    /// <summary>Whether an https URL is that of a blob, with the account in its host, and without credentials.</summary>
    public bool IsBlobUrl(WeightUri uri) => Uri.TryCreate(uri.Original, UriKind.Absolute, out Uri? url)
        && url.UserInfo.Length == 0
        && BlobUri.SignatureOf(uri) is null
        && (Clouds.Any(cloud => url.Host.EndsWith(cloud, StringComparison.OrdinalIgnoreCase))
            || (options.Endpoint is { } endpoint
                && ServiceAt(endpoint, url.Host.Split('.')[0]) is { AbsolutePath: "/" } service
                && service.Authority.Equals(url.Authority, StringComparison.OrdinalIgnoreCase)));

    private BlobCredentials Credentials(BlobUri uri, BlobConnection? given, BlobConnection? set)
    {
        var passedOver = new List<string>();
        foreach ((string origin, string? account, Func<BlobCredentials> create) in Candidates())
        {
            if (account is null || account == uri.Account)
            {
                return create();
            }

            passedOver.Add(account.Length == 0 ? $"{origin} does not name an account" : $"{origin} is for the account {account}");
        }

        DefaultAzureCredential identity = Volatile.Read(ref _default) ?? BlobIdentity.Create(guard, uri.Display);
        identity = Interlocked.CompareExchange(ref _default, identity, null) ?? identity;
        return BlobCredentials.Of(identity, "the identity that DefaultAzureCredential found", string.Join("; ", passedOver));

        // In their order, each with the account that it is for; null for any.
        IEnumerable<(string Origin, string? Account, Func<BlobCredentials> Create)> Candidates()
        {
            if (uri.Signature is { } signature)
            {
                yield return ("", null, () => Signed(signature, "the URI", uri.Display));
            }

            if (options.SharedKey is { } key)
            {
                const string Origin = "AzureBlobsOptions.SharedKey";
                yield return (Origin, key.AccountName, () => BlobCredentials.Of(key, "the key in " + Origin));
            }

            if (options.Sas is { } sas)
            {
                const string Origin = "AzureBlobsOptions.Sas";
                yield return (Origin, options.SasAccount, () => BlobCredentials.Of(sas, "the shared access signature in " + Origin));
            }

            if (given is not null)
            {
                yield return (ConnectionOption, given.Account, () => given.Credentials);
            }

            if (options.Credential is { } credential)
            {
                string name = $"the identity of AzureBlobsOptions.Credential ({credential.GetType().Name})";
                yield return ("", null, () => BlobCredentials.Of(credential, name));
            }

            if (set is not null)
            {
                yield return (Connection, set.Account, () => set.Credentials);
            }

            string? owner = Text(AccountName, uri.Display);
            if (Text(Key, uri.Display) is { } text && owner is not null)
            {
                yield return (Key, owner, () => Keyed(owner, text, uri.Display));
            }

            if (Text(Sas, uri.Display) is { } token)
            {
                yield return (Sas, owner, () => Signed(token, Sas, uri.Display));
            }
        }
    }

    private Uri Service(BlobUri uri, BlobConnection? connection) => options.Endpoint is { } endpoint
        ? ServiceAt(endpoint, uri.Account)
            ?? throw new WeightSourceException(uri.Display, "AzureBlobsOptions.Endpoint is not an http or https URL.")
        : uri.Host is null && connection is not null ? connection.Service
        : Uri.TryCreate($"https://{uri.Host ?? uri.Account + ".blob.core.windows.net"}", UriKind.Absolute, out Uri? service) ? service
        : throw new WeightSourceException(uri.Display, $"{uri.Host ?? uri.Account} is not the name of a storage account or its host.");

    private static Uri? ServiceAt(string endpoint, string account) =>
        Uri.TryCreate(endpoint.Replace("{account}", account, StringComparison.Ordinal), UriKind.Absolute, out Uri? service)
            && service.Scheme is "http" or "https"
            ? service
            : null;

    // The errors are without the SDK's words, which may hold the secret.
    private static BlobCredentials Keyed(string account, string key, string display)
    {
        try
        {
            return BlobCredentials.Of(new StorageSharedKeyCredential(account, key), $"the key in {Key}");
        }
        catch (FormatException)
        {
            throw new WeightSourceException(display, $"{Key} is not a storage account key: it is not base64.");
        }
    }

    private static BlobCredentials Signed(string text, string origin, string display)
    {
        string signature = text.TrimStart('?');
        return signature.Contains("sig=", StringComparison.Ordinal)
            ? BlobCredentials.Of(new AzureSasCredential(signature), "the shared access signature of " + origin)
            : throw new WeightSourceException(display, $"{origin} is not a shared access signature: it has no parameter sig=.");
    }

    // null if there is no connection string.
    private static BlobConnection? Connect(string? text, string origin, string display)
    {
        if (text is null)
        {
            return null;
        }

        try
        {
            var client = new BlobServiceClient(text);
            if (client.Uri.Scheme is not ("http" or "https"))
            {
                throw new WeightSourceException(display, $"the BlobEndpoint of {origin} is not an http or https URL.");
            }

            BlobCredentials credentials = client.Uri.Query.Length > 1
                ? Signed(client.Uri.Query, origin, display)
                : BlobCredentials.Of(client, "the key in " + origin);
            return new BlobConnection(client.AccountName ?? "", new UriBuilder(client.Uri) { Query = "" }.Uri, credentials);
        }
        catch (Exception e) when (e is not (WeightSourceException or OutOfMemoryException))
        {
            throw new WeightSourceException(display, $"{origin} is not a connection string of a storage account.");
        }
    }

    private static string? Text(string variable, string display)
    {
        string text = StoreSetting.Of(variable)?.Trim() ?? "";
        return OptionValue.HasControl(text) ? throw new WeightSourceException(display, $"{variable} {OptionValue.Control}")
            : text.Length > 0 ? text
            : null;
    }

    private sealed record BlobConnection(string Account, Uri Service, BlobCredentials Credentials);
}
