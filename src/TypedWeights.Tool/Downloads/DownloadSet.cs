using TypedWeights.Checkpoints;
using TypedWeights.Sources;

namespace TypedWeights.Tool.Downloads;

/// <summary>What a URI stands for: a file, or the shards of an index and then the index itself. Owns the opened files.</summary>
internal sealed class DownloadSet : IAsyncDisposable
{
    private const string IndexSuffix = ".safetensors.index.json";
    private const string FileSuffix = ".safetensors";

    private readonly List<DownloadFile> _files = [];

    private DownloadSet(bool isRemote, bool isSharded)
    {
        IsRemote = isRemote;
        IsSharded = isSharded;
    }

    /// <summary>The files in the order in which they are fetched and appear: an index comes when all that it names is there.</summary>
    public IReadOnlyList<DownloadFile> Files => _files;

    /// <summary>Whether they lie across a network.</summary>
    public bool IsRemote { get; }

    /// <summary>Whether they go into a folder.</summary>
    public bool IsSharded { get; }

    /// <summary>
    /// Opens the files. Headers of safetensors files and an index are checked first, so that an error page or an LFS pointer is known
    /// before anything is written; any other file is fetched as it is.
    /// </summary>
    public static async Task<DownloadSet> OpenAsync(WeightUri uri, IWeightLocation location, CancellationToken cancellationToken)
    {
        bool isSharded = location.EntryName.EndsWith(IndexSuffix, StringComparison.OrdinalIgnoreCase);
        var set = new DownloadSet(location.IsRemote, isSharded);
        try
        {
            if (isSharded || location.EntryName.EndsWith(FileSuffix, StringComparison.OrdinalIgnoreCase))
            {
                Checkpoint checkpoint = await CheckpointReader.ReadAsync(uri, location, cancellationToken).ConfigureAwait(false);
                set._files.AddRange(checkpoint.Files.Select(file => new DownloadFile(file.Name, file.Source, file.Header)));
                await set.ReopenSequentialAsync(location, cancellationToken).ConfigureAwait(false);
            }

            if (isSharded || set._files.Count == 0)
            {
                IWeightSource entry = await location.OpenAsync(location.EntryName, cancellationToken).ConfigureAwait(false);
                set._files.Add(new DownloadFile(location.EntryName, entry, IsIndex: isSharded));
            }

            return set;
        }
        catch
        {
            await set.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (DownloadFile file in _files)
        {
            await file.Source.DisposeAsync().ConfigureAwait(false);
        }
    }

    // Whoever reads such a file only in order is past its start once the header has been read.
    private async Task ReopenSequentialAsync(IWeightLocation location, CancellationToken cancellationToken)
    {
        for (int i = 0; i < _files.Count; i++)
        {
            if (_files[i].Source.IsSequential)
            {
                await _files[i].Source.DisposeAsync().ConfigureAwait(false);
                _files[i] = _files[i] with { Source = await location.OpenAsync(_files[i].Name, cancellationToken).ConfigureAwait(false) };
            }
        }
    }
}
