using System.Collections.Concurrent;
using TypedWeights.Sources.AzureBlobs;
using TypedWeights.Sources.Stores;
using TypedWeights.Sources.Urls;

[assembly: WeightSourceProvider<AzureBlobsProvider>("az")]

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>
/// Blobs of Azure storage accounts: <c>az://account/container/blob</c>. With <see cref="AzureBlobsOptions.BlobUrls"/> it serves https, too, and
/// passes URLs of other files on to the library.
/// </summary>
/// <remarks>
/// The blob's name is taken as it is, nothing in it is escaped. <c>?versionId=</c>, <c>?snapshot=</c> or a shared access signature, which is not
/// shown, may follow it. The account's host may replace the account: <c>az://account.blob.core.chinacloudapi.cn/container/blob</c>. What does
/// not end with <c>.safetensors</c> or <c>.json</c> is a folder, in which the usual names are tried.
/// </remarks>
/// <param name="context">The loader's connections and clock.</param>
/// <param name="options">Credentials and address.</param>
public sealed class AzureBlobsProvider(StoreContext context, AzureBlobsOptions options) : IRegisteredSource<AzureBlobsProvider>
{
    private readonly ConcurrentDictionary<(string Name, string? Host), BlobAccount> _accounts = new();
    private readonly BlobSettings _settings = new(options, new SdkGuard(context, "Azure Blob Storage"));
    private readonly UrlProvider _urls = new(context);

    /// <inheritdoc/>
    public IReadOnlyList<string> Schemes { get; } = options.BlobUrls ? ["az", "https"] : ["az"];

    /// <inheritdoc/>
    public static AzureBlobsProvider Create(StoreContext context) => new(context, new AzureBlobsOptions());

    /// <inheritdoc/>
    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken) =>
        LocateAsync(uri, WeightPins.None, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<IWeightLocation> LocateAsync(WeightUri uri, WeightPins pins, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(uri);
        ArgumentNullException.ThrowIfNull(pins);
        if (uri.Scheme == Uri.UriSchemeHttps && !_settings.IsBlobUrl(uri))
        {
            return await _urls.LocateAsync(uri, cancellationToken).ConfigureAwait(false);
        }

        BlobUri blob = BlobUri.Of(uri);

        // One object for an account, however many models are in it. A signature in a URI is for that URI alone.
        BlobAccount account = blob.Signature is not null
            ? _settings.CreateAccount(blob)
            : _accounts.GetOrAdd((blob.Account, blob.Host), _ => _settings.CreateAccount(blob));
        return await context.LocateAsync(blob.File, blob.Display, revision: null, File, cancellationToken).ConfigureAwait(false);

        BlobFile File(string name) => new(account, blob, name, pins.VersionOf(name) ?? (name == blob.File ? blob.Version : null));
    }
}
