using System.Text.Json;
using TypedWeights.Errors;
using TypedWeights.Sources.File;
using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.HuggingFace;

/// <summary>A repository on the hub: the names of its files, and their addresses.</summary>
internal sealed class HubRepository(StoreContext context, HubUri uri, HubCredentials credentials, Uri endpoint)
{
    // A repository of a hundred thousand files.
    private const int ListingLimit = 32 << 20;

    /// <summary>Requests the commit of a revision, and the names of its files.</summary>
    public async ValueTask<(string Commit, IReadOnlyList<string> Files)> ResolveAsync(string revision, CancellationToken cancellationToken)
    {
        Uri address = new(endpoint, $"api/models/{uri.Repository}/revision/{Uri.EscapeDataString(revision)}");
        string text = await context.GetTextAsync(new HubFile(address, uri.Display, uri, credentials, endpoint), ListingLimit, cancellationToken)
            .ConfigureAwait(false);
        try
        {
            using JsonDocument json = JsonDocument.Parse(text);
            string commit = json.RootElement.GetProperty("sha").GetString() ?? "";
            List<string> files =
            [
                .. json.RootElement.GetProperty("siblings").EnumerateArray()
                    .Select(static file => file.GetProperty("rfilename").GetString() ?? throw new KeyNotFoundException()),
            ];
            return !HubCache.IsCommit(commit) ? throw new KeyNotFoundException()
                : RepeatsToken([commit, .. files]) ? throw new WeightSourceException(
                    uri.Display, "the hub's list of files contains the token of the request as a file name; do not trust the server.")
                : (commit, files);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new WeightSourceException(
                uri.Display, $"{endpoint} does not respond as the hub does (no commit and list of files); check HF_ENDPOINT.", innerException: e);
        }
    }

    // A name is shown, and written to disk.
    private bool RepeatsToken(IEnumerable<string> names)
    {
        using var request = new HttpRequestMessage();
        request.Headers.Authorization = credentials.Header;
        var secrets = RequestSecrets.Of(request);
        return names.Any(secrets.IsIn);
    }

    /// <summary>The entry's name in the folder that the URI names.</summary>
    public string FindEntry(IEnumerable<string> files)
    {
        string[] names =
        [
            .. files.Where(file => file.StartsWith(uri.Folder, StringComparison.Ordinal)).Select(file => file[uri.Folder.Length..])
                .Where(static name => !name.Contains('/') && !name.StartsWith('.')).Order(StringComparer.Ordinal),
        ];
        string display = uri.Display + "/" + uri.Folder;
        return FolderEntry.Choose(names, display) ?? throw new WeightSourceException(
            display, "the repository contains no .safetensors file there and no index of such files.")
        {
            IsNotFound = true,
        };
    }

    /// <summary>A file of the URI's folder at a commit.</summary>
    public HubFile File(string commit, string name) => new(
        new Uri(endpoint, $"{uri.Repository}/resolve/{commit}/{StoreSetting.Escape(uri.Folder + name)}"),
        $"{uri.Display}/{uri.Folder}{name}",
        uri,
        credentials,
        endpoint);
}
