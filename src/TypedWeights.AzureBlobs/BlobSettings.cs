using Azure;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;
using TypedWeights.Errors;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>Finds an account's address and login, by options or by the environment.</summary>
/// <param name="options">The options, which come first.</param>
/// <param name="variable">Reads an environment variable.</param>
/// <param name="guard">Calls the SDK.</param>
internal sealed class BlobSettings(AzureBlobsOptions options, Func<string, string?> variable, SdkGuard guard)
{
    /// <summary>The variable of an account's key.</summary>
    public const string Key = "AZURE_STORAGE_KEY";

    /// <summary>The variable of the account whose key or signature it is.</summary>
    public const string AccountName = "AZURE_STORAGE_ACCOUNT";

    private const string Connection = "AZURE_STORAGE_CONNECTION_STRING";
    private const string ConnectionOption = "AzureBlobsOptions.ConnectionString";
    private const string Sas = "AZURE_STORAGE_SAS_TOKEN";

    // Made once: it caches what it found out.
    private DefaultAzureCredential? _default;

    /// <summary>Where an account's blob service is, and how to be let in.</summary>
    /// <param name="uri">A blob of the account.</param>
    /// <exception cref="WeightSourceException">A setting is malformed; the message names it and does not repeat it.</exception>
    public (Uri Service, BlobCredentials Login) Find(BlobUri uri)
    {
        BlobConnection? given = OfAccount(Connect(options.ConnectionString, ConnectionOption, uri.Display), uri.Account);
        BlobConnection? found = given ?? OfAccount(Connect(Text(Connection, uri.Display), Connection, uri.Display), uri.Account);
        Uri service = Service(uri, found);
        BlobCredentials login = uri.Query.Signature is { } signature ? Signed(signature, "the URI", uri.Display) : Login(uri, given, found);
        if (login is not BlobCredentials.Token token || service.Scheme == Uri.UriSchemeHttps)
        {
            return (service, login);
        }

        return token.IsOptional
            ? (service, new BlobCredentials.Nobody { Name = "no credentials (tokens are sent to https addresses alone)" })
            : throw new WeightSourceException(
                uri.Display, "tokens are sent to https addresses alone; give a key or a shared access signature for this one.");
    }

    /// <summary>Whether an https URL is one of a blob: those that have the account in their host.</summary>
    public bool IsBlobUrl(Uri url) => Clouds.Any(cloud => url.Host.EndsWith(cloud, StringComparison.OrdinalIgnoreCase))
        || (options.Endpoint is { } endpoint
            && ServiceAt(endpoint, url.Host.Split('.')[0]) is { AbsolutePath: "/" } service
            && service.Authority.Equals(url.Authority, StringComparison.OrdinalIgnoreCase));

    // The public cloud with its zones, China and the US government.
    private static readonly string[] Clouds =
        [".blob.core.windows.net", ".blob.storage.azure.net", ".blob.core.chinacloudapi.cn", ".blob.core.usgovcloudapi.net"];

    private BlobCredentials Login(BlobUri uri, BlobConnection? given, BlobConnection? found)
    {
        string account = uri.Account;
        if (options.Anonymous)
        {
            return new BlobCredentials.Nobody { Name = "no credentials (AzureBlobsOptions.Anonymous)" };
        }

        if (options.SharedKey is { } key && key.AccountName == account)
        {
            return new BlobCredentials.Key(key) { Name = "the key in AzureBlobsOptions.SharedKey" };
        }

        if (options.Sas is { } sas && (options.SasAccount ?? account) == account)
        {
            return new BlobCredentials.Signature(sas) { Name = "the shared access signature in AzureBlobsOptions.Sas" };
        }

        return given?.Login
            ?? (options.Credential is { } credential
                ? new BlobCredentials.Token(credential) { Name = $"the identity of AzureBlobsOptions.Credential ({credential.GetType().Name})" }
                : found?.Login ?? FromVariables(account, uri.Display)
                    ?? new BlobCredentials.Token(Default(uri.Display), IsOptional: true)
                    {
                        Name = "the identity that DefaultAzureCredential found",
                        PassedOver = PassedOver(uri),
                    });
    }

    private string PassedOver(BlobUri uri)
    {
        string? owner = Text(AccountName, uri.Display);
        (string Origin, string? Account)[] set =
        [
            ("AzureBlobsOptions.SharedKey", options.SharedKey?.AccountName),
            ("AzureBlobsOptions.Sas", options.Sas is null ? null : options.SasAccount),
            (ConnectionOption, Connect(options.ConnectionString, ConnectionOption, uri.Display)?.Account),
            (Connection, Connect(Text(Connection, uri.Display), Connection, uri.Display)?.Account),
            (Key, Text(Key, uri.Display) is null ? null : owner),
            (Sas, Text(Sas, uri.Display) is null ? null : owner),
        ];
        return string.Join("; ", set.Where(login => login.Account is not null && login.Account != uri.Account).Select(static login =>
            login.Account is "" ? $"{login.Origin} names no account" : $"{login.Origin} is for the account {login.Account}"));
    }

    private DefaultAzureCredential Default(string display)
    {
        DefaultAzureCredential found = Volatile.Read(ref _default) ?? BlobIdentity.Create(guard, display);
        return Interlocked.CompareExchange(ref _default, found, null) ?? found;
    }

    private BlobCredentials? FromVariables(string account, string display)
    {
        string? owner = Text(AccountName, display);
        if (Text(Key, display) is { } key && owner == account)
        {
            try
            {
                return new BlobCredentials.Key(new StorageSharedKeyCredential(account, key)) { Name = $"the key in {Key}" };
            }
            catch (FormatException)
            {
                // Without its cause, whose text is about the key.
                throw new WeightSourceException(display, $"{Key} is not the key of a storage account: it is not base64.");
            }
        }

        return Text(Sas, display) is { } sas && (owner ?? account) == account ? Signed(sas, Sas, display) : null;
    }

    private Uri Service(BlobUri uri, BlobConnection? connection) => options.Endpoint is { } endpoint
        ? ServiceAt(endpoint, uri.Account)
            ?? throw new WeightSourceException(uri.Display, "AzureBlobsOptions.Endpoint is not an http or https URL.")
        : uri.Host is null && connection is not null ? connection.Service
        : Uri.TryCreate($"https://{uri.Host ?? uri.Account + ".blob.core.windows.net"}", UriKind.Absolute, out Uri? service) ? service
        : throw new WeightSourceException(uri.Display, $"{uri.Host ?? uri.Account} is no name of a storage account or its host.");

    private static Uri? ServiceAt(string endpoint, string account) =>
        Uri.TryCreate(endpoint.Replace("{account}", account, StringComparison.Ordinal), UriKind.Absolute, out Uri? service)
            && service.Scheme is "http" or "https"
            ? service
            : null;

    // Without the SDK's words, which may hold it.
    private static BlobCredentials.Signature Signed(string text, string origin, string display)
    {
        string signature = text.TrimStart('?');
        return signature.Contains("sig=", StringComparison.Ordinal)
            ? new(new AzureSasCredential(signature)) { Name = "the shared access signature of " + origin }
            : throw new WeightSourceException(display, $"{origin} is not a shared access signature: it has no sig= in it.");
    }

    private static BlobConnection? OfAccount(BlobConnection? connection, string account) =>
        connection?.Account == account ? connection : null;

    // null where there is no connection string.
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

            var service = new UriBuilder(client.Uri) { Query = "" };
            BlobCredentials login = client.Uri.Query.Length > 1
                ? Signed(client.Uri.Query, origin, display)
                : new BlobCredentials.Connection(text) { Name = "the key in " + origin };
            return new BlobConnection(client.AccountName ?? "", service.Uri, login);
        }
        catch (Exception e) when (e is not (WeightSourceException or OutOfMemoryException))
        {
            // Without the SDK's words, which may hold the key.
            throw new WeightSourceException(display, $"{origin} is not a connection string of a storage account.");
        }
    }

    private string? Text(string name, string display)
    {
        string text = variable(name)?.Trim() ?? "";
        return OptionValue.HasControl(text) ? throw new WeightSourceException(display, $"{name} {OptionValue.Control}")
            : text.Length > 0 ? text
            : null;
    }

    private sealed record BlobConnection(string Account, Uri Service, BlobCredentials Login);
}
