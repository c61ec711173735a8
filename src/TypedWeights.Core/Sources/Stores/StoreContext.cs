using TypedWeights.Errors;
using TypedWeights.Sources.Http;

namespace TypedWeights.Sources.Stores;

/// <summary>What a loader gives to its stores: one connection pool for each origin, one clock, and the way of the ranges.</summary>
public sealed class StoreContext : IDisposable
{
    private readonly Action<string, string>? _noted;

    /// <param name="http">How servers are reached: proxies and certificates count for all stores, logins and headers for HTTP alone.</param>
    /// <param name="time">The loader's clock.</param>
    /// <param name="noted">Is told of what is odd and no error, with the file it is about; null for nobody.</param>
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

    /// <summary>A place in a store whose entry is known.</summary>
    /// <param name="entryName">The name of the entry: a <c>.safetensors</c> file or a <c>.safetensors.index.json</c>.</param>
    /// <param name="revision">The resolved revision that is the same for all files, such as a commit; null where there is none.</param>
    /// <param name="file">
    /// The file of a checked name relative to the entry's folder, with <c>/</c>; the entry's own name is <paramref name="entryName"/>.
    /// </param>
    public IWeightLocation Locate(string entryName, string? revision, Func<string, StoreFile> file) =>
        new StoreLocation(Http, entryName, revision, file);

    /// <summary>Finds the entry of a folder of which nobody knows what it holds: the usual names are asked for, one after another.</summary>
    /// <param name="display">The folder as it may be shown.</param>
    /// <param name="revision">As for <see cref="Locate"/>.</param>
    /// <param name="file">The file of a name relative to the folder.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">The folder holds none of the usual names, or may not be read.</exception>
    public ValueTask<IWeightLocation> LocateInFolderAsync(
        string display, string? revision, Func<string, StoreFile> file, CancellationToken cancellationToken) =>
        StoreFolder.LocateAsync(Http, display, revision, file, cancellationToken);

    /// <summary>Reads a text of a store's own API in the way in which files are read: authorised, renewed, redirects followed.</summary>
    /// <param name="file">What is asked for; <see cref="StoreFile.ExplainAsync"/> is asked about refusals.</param>
    /// <param name="limit">The most bytes that it may have.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">It cannot be had.</exception>
    public ValueTask<string> GetTextAsync(StoreFile file, int limit, CancellationToken cancellationToken) =>
        StoreText.GetAsync(Http, file, limit, cancellationToken);

    /// <summary>Sends a request to a store's own API, over the same connections. Nothing is followed and nothing repeated.</summary>
    /// <param name="request">The request, complete with its authorisation.</param>
    /// <param name="display">What is asked about, as it may be shown.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The answer, whatever it is; <see cref="StoreFile.ReadTextAsync"/> reads it.</returns>
    /// <exception cref="WeightSourceException">No answer came; the error says whether that may pass.</exception>
    public ValueTask<HttpResponseMessage> SendAsync(HttpRequestMessage request, string display, CancellationToken cancellationToken) =>
        Http.SendAsync(request, display, cancellationToken);

    /// <summary>Writes a warning to the loader's log, or shows it to who runs the tool.</summary>
    /// <param name="display">The file as it may be shown.</param>
    /// <param name="message">What is odd and no error, without secrets.</param>
    public void Note(string display, string message) => _noted?.Invoke(Printable.Line(display), Printable.Line(message));

    /// <summary>Closes the connections. The loader does it, after its stores.</summary>
    public void Dispose() => Http.Dispose();
}
