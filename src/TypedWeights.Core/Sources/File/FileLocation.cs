namespace TypedWeights.Sources.File;

/// <summary>A local folder and the entry file in it.</summary>
/// <remarks>
/// Symbolic links in the folder are followed wherever they lead: the owner of the folder made them, and the cache of Hugging Face consists of
/// links to <c>../../blobs</c>. The names in an index are not trusted that far, and are checked before they are passed in.
/// </remarks>
/// <param name="folder">The full path of the folder.</param>
/// <param name="displayFolder">The folder as it may be shown; empty for the current one.</param>
/// <param name="entryName">The entry's name.</param>
/// <param name="revision">The revision that the folder is a copy of, if that is known.</param>
internal sealed class FileLocation(string folder, string displayFolder, string entryName, string? revision = null) : IWeightLocation
{
    public string EntryName => entryName;

    public string? Revision => revision;

    public bool IsRemote => false;

    public ValueTask<IWeightSource> OpenAsync(string name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string path = Path.Combine(folder, name.Replace('/', Path.DirectorySeparatorChar));
        string prefix = displayFolder.Length == 0 || displayFolder.EndsWith('/') ? displayFolder : displayFolder + "/";
        return ValueTask.FromResult<IWeightSource>(FileSource.Open(path, prefix + name));
    }
}
