using TypedWeights.Sources.Stores;

namespace TypedWeights.Sources.HuggingFace;

/// <summary>The parts of <c>hf://org/name[@revision][/file]</c>.</summary>
/// <param name="Repository">The repository's id: <c>org/name</c>, or a name alone.</param>
/// <param name="Revision">A branch, tag or commit; null if the URI has none.</param>
/// <param name="Folder">The folder in it with a final <c>/</c>; empty for the root.</param>
/// <param name="File">The entry's name in that folder; null if it has to be found.</param>
internal sealed record HubUri(string Repository, string? Revision, string Folder, string? File)
{
    /// <summary>The repository as messages may show it, with the requested revision.</summary>
    public string Display => "hf://" + Repository + (Revision is null ? "" : "@" + Revision.Replace("/", "%2F", StringComparison.Ordinal));

    /// <exception cref="WeightSourceException">It does not name a repository.</exception>
    public static HubUri Of(WeightUri uri)
    {
        string[] parts = uri.Display["hf://".Length..].Split('?')[0].Split('/');
        bool isFolder = parts.Length > 1 && parts[^1].Length == 0;
        var segments = new Queue<string>(parts.Where(static part => part.Length > 0).Select(Uri.UnescapeDataString));

        // Old models have a name alone: hf://gpt2, hf://gpt2@main/model.safetensors.
        string repository = segments.TryDequeue(out string? first) ? first : "";
        if (!repository.Contains('@') && segments.TryPeek(out string? name) && !StoreSetting.IsFile(name))
        {
            repository += "/" + segments.Dequeue();
        }

        string? revision = null;
        int at = repository.IndexOf('@');
        if (at >= 0)
        {
            (repository, revision) = (repository[..at], repository[(at + 1)..]);

            // The hub's own branches have slashes: refs/pr/7, refs/convert/parquet.
            while (revision is "refs" or "refs/pr" or "refs/convert" && segments.TryDequeue(out string? next))
            {
                revision += "/" + next;
            }
        }

        string[] path = [.. segments];
        bool hasFile = !isFolder && path.Length > 0 && StoreSetting.IsFile(path[^1]);
        string folder = string.Concat((hasFile ? path[..^1] : path).Select(static part => part + "/"));
        return repository.Split('/').All(IsName) && revision is not "" && !path.Contains("..") && !path.Contains(".")
            ? new HubUri(repository, revision, folder, hasFile ? path[^1] : null)
            : throw new WeightSourceException(uri.Display, "this does not name a repository of the hub; write hf://org/name[@revision][/file].");
    }

    private static bool IsName(string name) => name.Length > 0 && name is not ("." or "..")
        && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
