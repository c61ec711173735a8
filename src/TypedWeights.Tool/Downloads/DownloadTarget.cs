using TypedWeights.Errors;
using TypedWeights.Files;
using TypedWeights.Tool.Output;
using TypedWeights.Tool.Running;

namespace TypedWeights.Tool.Downloads;

/// <summary>Where files go: the second argument of <c>download</c>.</summary>
internal sealed class DownloadTarget
{
    private readonly string _given;
    private readonly bool _isFolder;
    private readonly DownloadSet _set;

    private DownloadTarget(string given, bool isFolder, DownloadSet set)
    {
        _given = given;
        _isFolder = isFolder;
        _set = set;
    }

    /// <summary>Decides where the files of a set go.</summary>
    /// <param name="context">The command's.</param>
    /// <param name="given">The argument.</param>
    /// <param name="set">The files to download.</param>
    /// <exception cref="ToolException">The argument does not fit the set.</exception>
    /// <exception cref="WeightsException">A name in the set must not be written, or this user may not see the folder.</exception>
    public static DownloadTarget Of(ToolContext context, string given, DownloadSet set)
    {
        string full = context.FullPath(given);
        if (Denial.OfSight(full) is { } denied)
        {
            throw new WeightsException($"{given}: {denied}.");
        }

        bool isFolder = Directory.Exists(full);
        if (set.IsSharded && File.Exists(full))
        {
            throw new ToolException(
                ExitCodes.Usage,
                $"{given} is a file, but an index with {SnapshotSummary.Count(set.Files.Count - 1, "shard")} needs a folder as DEST.");
        }

        string parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(full)) ?? full;
        bool namesFolder = Path.EndsInDirectorySeparator(given);
        if (!isFolder && (!Directory.Exists(parent) || (namesFolder && !set.IsSharded)))
        {
            string missing = namesFolder && !set.IsSharded ? given : context.ShortPath(parent);
            throw new ToolException(
                ExitCodes.Usage,
                Absence.OfFolder(full) is { } reason ? $"{given}: {reason}." : $"The folder {missing} does not exist; create it first.");
        }

        if (isFolder || set.IsSharded)
        {
            set.Files.ToList().ForEach(file => RefuseName(file, set));
            if (ForeignName.FindFileAsFolder(set.Files.Select(static file => file.Name)) is var (file, below))
            {
                string folder = Printable.Name(file);
                throw NotWritten(set, $"the file {Printable.Name(below)} cannot be written, because {folder} is a file and not a folder");
            }
        }

        return new DownloadTarget(given, isFolder || set.IsSharded, set);
    }

    /// <summary>The path of a file as a person would write it after what was given.</summary>
    public string Shown(DownloadFile file) => _isFolder ? Path.Join(_given, file.Name) : _given;

    /// <summary>The full path of a file; its folders are created.</summary>
    /// <exception cref="WeightsException">A folder cannot be created.</exception>
    public string Make(ToolContext context, DownloadFile file)
    {
        string full = context.FullPath(Shown(file));
        if (_isFolder)
        {
            string folder = Path.GetDirectoryName(full)!;
            try
            {
                TargetFile.MakeFolderOf(full);
            }
            catch (Exception e) when (DiskFailure.Is(e))
            {
                throw DiskFailure.Of(e, folder, context.ShortPath(folder));
            }
        }

        return full;
    }

    /// <summary>
    /// Throws if an existing file would be replaced that is not an earlier copy of the download, and whose name was chosen by a server or an
    /// index.
    /// </summary>
    /// <param name="context">The command's.</param>
    /// <param name="cancellationToken">Ends the check.</param>
    /// <exception cref="WeightsException">There is such a file; the message names it.</exception>
    public async Task RefuseOthersAsync(ToolContext context, CancellationToken cancellationToken)
    {
        foreach (DownloadFile file in _isFolder ? _set.Files : [])
        {
            string shown = Shown(file);
            string full = context.FullPath(shown);
            if (File.Exists(full) && !await file.IsEarlierCopyAsync(full, cancellationToken))
            {
                throw new WeightsException(
                    $"{shown.Replace('\\', '/')}: the file exists and is not an earlier copy of {file.Source.Display}: it does not list the same "
                        + "tensors. Move it, choose another DEST, or replace it with --force; nothing was changed.");
            }
        }
    }

    // The last part of a URL, unescaped, may lead anywhere, and an index may name any file of a home folder.
    private static void RefuseName(DownloadFile file, DownloadSet set)
    {
        string name = Printable.Name(file.Name);
        if (!set.IsSharded)
        {
            // A character that is special only in a URL (an escaped '#', say) is an ordinary one on a disk.
            if (ForeignName.Refuse(string.Concat(file.Name.Split('#', '?', '%')), suffix: "") is not null
                || file.Name.Contains('/', StringComparison.Ordinal))
            {
                throw new ToolException(
                    ExitCodes.Usage, $"The URI's last part, {name}, is not a plain file name; give a DEST with a file name.");
            }
        }
        else if (ForeignName.Refuse(file.Name, file.Shards is null ? ForeignName.FileSuffix : ForeignName.IndexSuffix) is { } reason)
        {
            throw NotWritten(set, $"the file {name} cannot be written, because its name {reason}");
        }
    }

    private static SafeTensorsFormatException NotWritten(DownloadSet set, string what) => new(
        SafeTensorsErrorKind.UnsafeShardName,
        set.Files[^1].Source.Display,
        $"{what}; download that file separately, with another name as DEST.");
}
