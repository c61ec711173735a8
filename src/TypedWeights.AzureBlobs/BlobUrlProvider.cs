using TypedWeights.Sources.Stores;
using TypedWeights.Sources.Urls;

namespace TypedWeights.Sources.AzureBlobs;

/// <summary>
/// Stands in for the library's https, for those who ask for it: the URLs of blobs are read with credentials, all others as ever.
/// </summary>
internal sealed class BlobUrlProvider(StoreContext context, AzureBlobsOptions options) : IWeightSourceProvider
{
    private readonly AzureBlobsProvider _blobs = new(context, options);
    private readonly UrlProvider _others = new(context);

    public IReadOnlyList<string> Schemes { get; } = ["https"];

    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken) =>
        LocateAsync(uri, WeightPins.None, cancellationToken);

    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, WeightPins pins, CancellationToken cancellationToken)
    {
        bool isBlob = Uri.TryCreate(uri.Original, UriKind.Absolute, out Uri? address)
            && address.UserInfo.Length == 0
            && _blobs.Settings.IsBlobUrl(address)
            && BlobQuery.Of(uri.Original).Signature is null;
        return isBlob ? _blobs.LocateAsync(uri, pins, cancellationToken) : _others.LocateAsync(uri, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _blobs.DisposeAsync().ConfigureAwait(false);
        await _others.DisposeAsync().ConfigureAwait(false);
    }
}
