using TypedWeights.Format;
using TypedWeights.Sources.Http;

namespace TypedWeights.Sources.Stores;

/// <summary>An entry and the files beside it, each read by HTTP ranges.</summary>
internal sealed class StoreLocation(HttpChannel channel, string entryName, string? revision, Func<string, StoreFile> file) : IWeightLocation
{
    public string EntryName => entryName;

    public string? Revision => revision;

    public ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken) =>
        OpenAsync(name, HeaderPrefix.Size, cancellationToken);

    public ValueTask<IWeightSource> OpenAsync(string name, int firstBytes, CancellationToken cancellationToken) =>
        HttpSource.OpenAsync(Target(name), Math.Max(firstBytes, HeaderPrefix.Size), cancellationToken);

    public IWeightSource OpenAhead(string name, long expectedLength) => HttpSource.OpenAhead(Target(name), expectedLength);

    private HttpTarget Target(string name) => new(channel, file(name));
}
