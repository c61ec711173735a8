using TypedWeights.Files;

namespace TypedWeights.Sources.File;

/// <summary>
/// Local files: plain paths and <c>file://</c> URIs of a <c>.safetensors</c> file, an index, or a folder that contains one.
/// </summary>
/// <remarks>
/// A relative path is looked up in the current directory, then in <see cref="AppContext.BaseDirectory"/>. In a folder, the only
/// <c>*.safetensors.index.json</c> is the model; without an index, the only <c>*.safetensors</c>; among several,
/// <c>model.safetensors.index.json</c> or <c>model.safetensors</c>. Files whose names begin with a dot are ignored.
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
        string given = PathOf(uri);
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

        string? link = Candidates(given, uri.Display).Select(static candidate => Absence.Of(candidate.Path))
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

    // A file that is found at the given path is shown as it was given; a file that is found elsewhere is shown with its full path.
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

    private static string PathOf(WeightUri uri)
    {
        if (uri.IsPath)
        {
            return uri.Original;
        }

        // The canonical text has everything of a file URI that counts, and no query.
        const string LocalHost = "file://localhost/";
        bool isLocal = uri.Display.StartsWith(LocalHost, StringComparison.OrdinalIgnoreCase);
        string text = isLocal ? "file:///" + uri.Display[LocalHost.Length..] : uri.Display;
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? address) || !address.IsFile)
        {
            throw new WeightSourceException(uri.Display, "this is not a valid file URI; write file:///folder/model.safetensors.");
        }

        // On Windows another machine is a UNC path. On other systems its files cannot be reached by name.
        return address.Host.Length == 0 || OperatingSystem.IsWindows()
            ? address.LocalPath
            : throw new WeightSourceException(
                uri.Display, "a file URI names a file of this machine; write three slashes: file:///folder/model.safetensors.");
    }

    private IEnumerable<string> Directories() =>
        _baseDirectories.Select(Path.GetFullPath).Prepend(Environment.CurrentDirectory).Distinct(StringComparer.Ordinal);
}
