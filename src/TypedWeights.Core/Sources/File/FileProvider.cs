using TypedWeights.Files;

namespace TypedWeights.Sources.File;

/// <summary>
/// Files on disk: plain paths and <c>file://</c> URIs, each naming a <c>.safetensors</c> file, an index, or a folder that holds one.
/// </summary>
/// <remarks>
/// A relative path is looked up in the current directory, then in <see cref="AppContext.BaseDirectory"/>. In a folder, the only
/// <c>*.safetensors.index.json</c> is the model; without an index, the only <c>*.safetensors</c>; among several,
/// <c>model.safetensors.index.json</c> or <c>model.safetensors</c>. Files whose names begin with a dot do not count.
/// </remarks>
internal sealed class FileProvider : IWeightSourceProvider
{
    private readonly string[] _baseDirectories;

    /// <summary>Makes the provider.</summary>
    /// <param name="baseDirectories">
    /// Where a relative path is looked up after the current directory; <see cref="AppContext.BaseDirectory"/> when none is given.
    /// </param>
    public FileProvider(params IEnumerable<string> baseDirectories)
    {
        string[] given = [.. baseDirectories];
        _baseDirectories = given.Length == 0 ? [AppContext.BaseDirectory] : given;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Schemes { get; } = ["file"];

    /// <inheritdoc/>
    public ValueTask<IWeightLocation> LocateAsync(WeightUri uri, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult<IWeightLocation>(Locate(uri));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private FileLocation Locate(WeightUri uri)
    {
        string given = FilePath.Of(uri);
        foreach ((string path, string display) in Candidates(given, uri.IsPath ? uri.Display : given.Replace('\\', '/')))
        {
            try
            {
                if (Directory.Exists(path))
                {
                    return new FileLocation(path, display, FolderEntry.Find(path, display));
                }

                if (System.IO.File.Exists(path))
                {
                    string name = Path.GetFileName(path);
                    return new FileLocation(Path.GetDirectoryName(path)!, display[..(display.LastIndexOf('/') + 1)], name);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw FileFailure.Of(e, display, path);
            }
        }

        foreach ((string path, string display) in Candidates(given, uri.Display))
        {
            if (Denial.OfSight(path) is { } denied)
            {
                throw new WeightSourceException(display, denied + ".");
            }
        }

        string? link = Candidates(given, uri.Display).Select(static candidate => DanglingLink.Explain(candidate.Path))
            .FirstOrDefault(static reason => reason is not null);
        if (link is not null)
        {
            throw new WeightSourceException(uri.Display, link + ".");
        }

        string looked = Path.IsPathFullyQualified(given)
            ? "there is no such file or folder."
            : $"there is no such file or folder in {string.Join(" or ", Directories()).Replace('\\', '/')}.";
        throw new WeightSourceException(uri.Display, looked) { IsNotFound = true };
    }

    // What is found where it was asked for is shown as it was asked for; what is found elsewhere, in full.
    private IEnumerable<(string Path, string Display)> Candidates(string given, string display)
    {
        if (Path.IsPathFullyQualified(given))
        {
            yield return (Path.GetFullPath(given), display);
            yield break;
        }

        foreach (string folder in Directories())
        {
            string path = Path.GetFullPath(given, folder);
            yield return (path, folder == Environment.CurrentDirectory ? display : path.Replace('\\', '/'));
        }
    }

    private IEnumerable<string> Directories() =>
        _baseDirectories.Select(Path.GetFullPath).Prepend(Environment.CurrentDirectory).Distinct(StringComparer.Ordinal);
}
