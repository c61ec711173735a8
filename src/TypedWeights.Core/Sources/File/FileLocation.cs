namespace TypedWeights.Sources.File;

/// <summary>A folder on disk and the entry file in it.</summary>
/// <remarks>
/// Symbolic links in the folder are followed wherever they lead: they are the folder owner's own doing, and the cache of Hugging Face
/// consists of links to <c>../../blobs</c>. What an index says is not trusted that far: its names are checked before they come here.
/// </remarks>
internal sealed class FileLocation : IWeightLocation
{
    private readonly string _folder;
    private readonly string _displayPrefix;

    /// <param name="folder">The folder in full.</param>
    /// <param name="displayFolder">The folder as it may be shown; empty for the current one.</param>
    /// <param name="entryName">The entry's name.</param>
    /// <param name="revision">The revision that the folder is a copy of, if that is known.</param>
    public FileLocation(string folder, string displayFolder, string entryName, string? revision = null)
    {
        Revision = revision;
        _folder = folder;
        _displayPrefix = displayFolder.Length == 0 || displayFolder.EndsWith('/') ? displayFolder : displayFolder + "/";
        EntryName = entryName;
    }

    public string EntryName { get; }

    public string? Revision { get; }

    public bool IsRemote => false;

    public ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string path = Path.Combine(_folder, name.Replace('/', Path.DirectorySeparatorChar));
        return ValueTask.FromResult<IWeightSource>(FileSource.Open(path, _displayPrefix + name));
    }
}
