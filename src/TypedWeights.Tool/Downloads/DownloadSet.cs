using TypedWeights.Caching;
using TypedWeights.Checkpoints;
using TypedWeights.Downloads;
using TypedWeights.Memory;
using TypedWeights.Sources;

namespace TypedWeights.Tool.Downloads;

/// <summary>What a URI stands for: a file, or the shards of an index and then the index itself. Owns the opened files.</summary>
internal sealed class DownloadSet : IAsyncDisposable
{
    // Distinguishes the file from others whose shown URI is the same; null if the shown URI does.
    private readonly string? _distinguished;
    private readonly IWeightLocation _location;
    private readonly List<DownloadFile> _files = [];

    private DownloadSet(WeightUri uri, IWeightLocation location, bool isSharded)
    {
        _distinguished = HiddenParameters.MayTellFilesApart(uri) ? HiddenParameters.Distinguish(uri) : null;
        _location = location;
        IsSharded = isSharded;
    }

    /// <summary>The files in the order in which they are fetched and appear: an index follows all of its shards.</summary>
    public IReadOnlyList<DownloadFile> Files => _files;

    /// <summary>Whether they are read over a network.</summary>
    public bool IsRemote => _location.IsRemote;

    /// <summary>Whether they go into a folder.</summary>
    public bool IsSharded { get; }

    /// <summary>
    /// Opens the files. Headers of safetensors files and an index are checked first, so that an error page or an LFS pointer is known
    /// before anything is written; any other file is fetched as it is.
    /// </summary>
    public static async Task<DownloadSet> OpenAsync(WeightUri uri, IWeightLocation location, CancellationToken cancellationToken)
    {
        bool isSharded = location.EntryName.EndsWith(ForeignName.IndexSuffix, StringComparison.OrdinalIgnoreCase);
        var set = new DownloadSet(uri, location, isSharded);
        IReadOnlyList<CheckpointFile>? shards = null;
        string? sha256 = null;
        try
        {
            if (isSharded || location.EntryName.EndsWith(ForeignName.FileSuffix, StringComparison.OrdinalIgnoreCase))
            {
                Checkpoint checkpoint = await CheckpointReader.ReadAsync(
                    uri, location, new HeaderBudget(MemoryBound.Of(null)), cancellationToken);
                set._files.AddRange(checkpoint.Files.Select(file => new DownloadFile(file.Name, file.Source, file.Header)));
                shards = isSharded ? checkpoint.Files : null;
                sha256 = checkpoint.Index?.Sha256;
                await set.CloseSequentialAsync();
            }

            if (isSharded || set._files.Count == 0)
            {
                IWeightSource entry = await location.OpenAsync(location.EntryName, cancellationToken);
                set._files.Add(new DownloadFile(location.EntryName, entry, Shards: shards) { IndexSha256 = sha256 });
            }

            return set;
        }
        catch
        {
            await set.DisposeAsync();
            throw;
        }
    }

    /// <summary>The identity of a file: what was requested, and what the response said about it.</summary>
    /// <param name="index">Which of <see cref="Files"/>.</param>
    public SourceIdentity IdentityOf(int index)
    {
        var identity = SourceIdentity.Of(_files[index].Source);
        return _distinguished is null
            ? identity
            : identity with { Source = CacheKey.SourceOf(_distinguished, _location.EntryName, _files[index].Name) };
    }

    /// <summary>Returns the source of a file that is downloaded next: one that can only be read in order is opened again.</summary>
    /// <param name="index">Which of <see cref="Files"/>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="WeightSourceException">The file cannot be opened, or was replaced.</exception>
    public async ValueTask<IWeightSource> SourceOfAsync(int index, CancellationToken cancellationToken)
    {
        DownloadFile file = _files[index];
        if (!file.Source.IsSequential)
        {
            return file.Source;
        }

        // An index, which is downloaded last, still has its first response open.
        await file.Source.DisposeAsync();
        IWeightSource source = await _location.OpenAsync(file.Name, cancellationToken);
        _files[index] = file with { Source = source };
        return SourceIdentity.Of(source) == SourceIdentity.Of(file.Source) ? source : throw DownloadFile.Replaced(source);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (DownloadFile file in _files)
        {
            await file.Source.DisposeAsync();
        }
    }

    // Reading the header has moved such a file past its start, and a server does not keep the response open until the download.
    private async Task CloseSequentialAsync()
    {
        foreach (DownloadFile file in _files.Where(file => file.Source.IsSequential))
        {
            await file.Source.DisposeAsync();
        }
    }
}
