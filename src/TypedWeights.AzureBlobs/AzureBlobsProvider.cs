using System.Collections.Concurrent;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>Blobs of Azure storage accounts: <c>az://account/container/blob</c>.</summary>
/// <remarks>
/// The blob's name stands as it is, nothing in it is escaped. After it may follow <c>?versionId=</c> or <c>?snapshot=</c>, or a shared
/// access signature, which is not shown. Instead of the account its host may stand:
/// <c>az://account.blob.core.chinacloudapi.cn/container/blob</c>. What does not end with <c>.safetensors</c> or <c>.json</c> is a folder,
/// in which the usual names are tried.
/// </remarks>
public sealed class AzureBlobsProvider : IRegisteredSource<AzureBlobsProvider>
{
    private readonly ConcurrentDictionary<(string Name, string? Host), BlobAccount> _accounts = new();
    private readonly StoreContext _context;
    private readonly SdkGuard _guard;

    internal AzureBlobsProvider(StoreContext context, AzureBlobsOptions options)
    {
        _context = context;
        _guard = new SdkGuard(context, "Azure Blob Storage");
        Settings = new BlobSettings(options, Environment.GetEnvironmentVariable, _guard);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Schemes { get; } = ["az"];

    internal BlobSettings Settings { get; }

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
        BlobUri blob = BlobUri.Of(uri);
        BlobAccount account = Account(blob);
        return blob.File is { } entry
            ? _context.Locate(entry, revision: null, File)
            : await _context.LocateInFolderAsync(blob.Display, revision: null, File, cancellationToken).ConfigureAwait(false);

        BlobFile File(string name) => new(account, blob, name, pins.VersionOf(name) ?? (name == blob.File ? blob.Query.Version : null));
    }

    /// <summary>Nothing is held: the connections are the loader's.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // One login for an account, however many models lie in it. A signature in a URI is that URI's alone.
    private BlobAccount Account(BlobUri uri) => uri.Query.Signature is not null
        ? Create(uri)
        : _accounts.GetOrAdd((uri.Account, uri.Host), _ => Create(uri));

    private BlobAccount Create(BlobUri uri)
    {
        (Uri service, BlobCredentials login) = Settings.Find(uri);
        return _guard.Call(new SdkCall(uri.Display, login.Setting), () => new BlobAccount(service, login, _guard));
    }
}
