using System.Net;
using System.Runtime.ExceptionServices;
using System.Text;
using TypedWeights.Errors;
using TypedWeights.Format;
using TypedWeights.Sources.File;
using TypedWeights.Sources.Http;

namespace TypedWeights.Sources.Stores;

/// <summary>What a loader provides to its stores: one connection pool for each origin, one clock, and the code that reads ranges.</summary>
public sealed class StoreContext : IDisposable
{
    private readonly Action<string, string>? _noted;

    /// <param name="http">How servers are reached: proxies and certificates apply to all stores, credentials and headers only to HTTP.</param>
    /// <param name="time">The loader's clock.</param>
    /// <param name="noted">Receives warnings, each with the file that it is about; null for nobody.</param>
    internal StoreContext(HttpOptions? http = null, TimeProvider? time = null, Action<string, string>? noted = null)
    {
        _noted = noted;
        HttpOptions = http ?? new HttpOptions();
        Http = new HttpChannel(HttpOptions);
        Time = time ?? TimeProvider.System;
    }

    /// <summary>The loader's clock.</summary>
    public TimeProvider Time { get; }

    /// <summary>The loader's connections.</summary>
    internal HttpChannel Http { get; }

    internal HttpOptions HttpOptions { get; }

    /// <summary>A location in a store whose entry is known.</summary>
    /// <param name="entryName">The name of the entry: a <c>.safetensors</c> file or a <c>.safetensors.index.json</c>.</param>
    /// <param name="revision">The resolved revision that is the same for all files, such as a commit; null if the store has none.</param>
    /// <param name="file">
    /// The file of a checked name relative to the entry's folder, with <c>/</c>; the entry's own name is <paramref name="entryName"/>.
    /// </param>
    public IWeightLocation Locate(string entryName, string? revision, Func<string, StoreFile> file) =>
        new Location(Http, entryName, revision, file);

    /// <summary>A location in a store, or in a folder that cannot be listed: there the usual names of an entry are requested.</summary>
    /// <param name="entryName">The name of the entry; null to look for it in the folder.</param>
    /// <param name="display">The folder as messages may show it.</param>
    /// <param name="revision">As for <see cref="Locate"/>.</param>
    /// <param name="file">The file of a name relative to the folder.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">The folder contains none of the usual names, or may not be read.</exception>
    public async ValueTask<IWeightLocation> LocateAsync(
        string? entryName, string display, string? revision, Func<string, StoreFile> file, CancellationToken cancellationToken)
    {
        if (entryName is not null)
        {
            return Locate(entryName, revision, file);
        }

        WeightSourceException? errorResponse = null;
        foreach (string name in FolderEntry.UsualNames)
        {
            IWeightLocation location = Locate(name, revision, file);
            try
            {
                await (await location.OpenAsync(name, cancellationToken).ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
                return location;
            }
            catch (WeightSourceException e) when (!e.IsTransient)
            {
                // Some stores refuse access to an absent file to those who may not list: the other names may still be there.
                errorResponse ??= e is { IsNotFound: true, IsPlaceNotFound: false } ? null : e;
            }
        }

        if (errorResponse is not null)
        {
            ExceptionDispatchInfo.Throw(errorResponse);
        }

        throw new WeightSourceException(
            display, $"the folder contains none of {string.Join(", ", FolderEntry.UsualNames)}; name the file or index itself.")
        {
            IsNotFound = true,
        };
    }

    /// <summary>Reads a text of a store's own API in the way in which files are read: authorised, renewed, redirects followed.</summary>
    /// <param name="file">The text; <see cref="StoreFile.ExplainAsync"/> explains error responses.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">It cannot be read.</exception>
    public async ValueTask<string> GetTextAsync(StoreFile file, int limit, CancellationToken cancellationToken)
    {
        var target = new HttpTarget(Http, file);
        using HttpResponseMessage response =
            await target.SendAsync(new RangeRequest(Range: null, IfMatch: null), cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw HttpFailure.Of(response, target.IsElsewhere(response), file.Display);
        }

        try
        {
            await response.Content.LoadIntoBufferAsync(limit, cancellationToken).ConfigureAwait(false);
            return Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            bool isTooLong = e is HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded };
            throw new WeightSourceException(
                file.Display,
                isTooLong ? $"the store's response is longer than {limit} bytes." : "the connection broke in the middle of the store's response.",
                innerException: ForeignText.Cause(e, response.RequestMessage))
            {
                IsTransient = !isTooLong,
            };
        }
    }

    /// <summary>Sends a request to a store's own API, over the same connections. It follows no redirect and repeats nothing.</summary>
    /// <param name="request">The request, complete with its authorisation.</param>
    /// <param name="display">What the request is about, as messages may show it.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The response, whatever its status; <see cref="StoreFile.ReadTextAsync"/> reads it.</returns>
    /// <exception cref="WeightSourceException">No response was received; the error states whether it is transient.</exception>
    public ValueTask<HttpResponseMessage> SendAsync(HttpRequestMessage request, string display, CancellationToken cancellationToken) =>
        Http.SendAsync(request, display, cancellationToken);

    /// <summary>Writes a warning to the loader's log; the tool shows it to its user.</summary>
    /// <param name="display">The file as messages may show it.</param>
    /// <param name="message">The warning, without secrets.</param>
    public void Note(string display, string message) => _noted?.Invoke(Printable.Line(display), Printable.Line(message));

    /// <summary>Closes the connections. The loader does it, after its stores.</summary>
    public void Dispose() => Http.Dispose();

    /// <summary>An entry and the files beside it, each read by HTTP ranges.</summary>
    private sealed class Location(HttpChannel channel, string entryName, string? revision, Func<string, StoreFile> file) : IWeightLocation
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
}
