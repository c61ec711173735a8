using TypedWeights.Errors;
using TypedWeights.Files;
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

    /// <summary>Reads the argument for what there is to fetch.</summary>
    /// <param name="context">The command's.</param>
    /// <param name="given">The argument.</param>
    /// <param name="set">What there is to fetch.</param>
    /// <exception cref="ToolException">It cannot be meant.</exception>
    /// <exception cref="WeightsException">The set has a name that is not written, or this user may not look there.</exception>
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
                ExitCodes.Usage, $"{given} is a file; an index and its {set.Files.Count - 1} shards go into a folder, so give the name of one.");
        }

        string parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(full)) ?? full;
        bool namesFolder = Path.EndsInDirectorySeparator(given);
        if (!isFolder && (!Directory.Exists(parent) || (namesFolder && !set.IsSharded)))
        {
            string missing = namesFolder && !set.IsSharded ? given : context.ShortPath(parent);
            throw new ToolException(
                ExitCodes.Usage,
                Absence.OfFolder(full) is { } reason ? $"{given}: {reason}." : $"There is no folder {missing}; make it first.");
        }

        if (isFolder || set.IsSharded)
        {
            set.Files.ToList().ForEach(file => RefuseName(file, set));
            if (ForeignName.FindFileAsFolder(set.Files.Select(static file => file.Name)) is var (file, below))
            {
                string folder = Printable.Name(file);
                throw NotWritten(set, $"the file {Printable.Name(below)} is not written, as {folder} is a file and cannot be its folder too");
            }
        }

        return new DownloadTarget(given, isFolder || set.IsSharded, set);
    }

    /// <summary>The path of a file as a person would write it after what was given.</summary>
    public string Shown(DownloadFile file) => _isFolder ? Path.Join(_given, file.Name) : _given;

    /// <summary>The path of a file in full; folders that it lies in are made.</summary>
    /// <exception cref="WeightsException">They cannot be made.</exception>
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
    /// Throws where a file that is there would be replaced, is no earlier copy of what is fetched, and nobody but a server or an index
    /// chose its name.
    /// </summary>
    /// <param name="context">The command's.</param>
    /// <param name="cancellationToken">Ends the look at the files.</param>
    /// <exception cref="WeightsException">There is one; it is named.</exception>
    public async Task RefuseOthersAsync(ToolContext context, CancellationToken cancellationToken)
    {
        foreach (DownloadFile file in _isFolder ? _set.Files : [])
        {
            string shown = Shown(file);
            string full = context.FullPath(shown);
            if (File.Exists(full) && !await file.IsEarlierCopyAsync(full, cancellationToken))
            {
                throw new WeightsException(
                    $"{shown.Replace('\\', '/')}: it is there already and no earlier copy of {file.Source.Display}, as it does not list the same "
                        + "tensors; move it, choose another DEST, or replace it with --force. Nothing was changed.");
            }
        }
    }

    // The last part of a URL, unescaped, may lead anywhere, and an index may name any file of a home folder.
    private static void RefuseName(DownloadFile file, DownloadSet set)
    {
        string name = Printable.Name(file.Name);
        if (!set.IsSharded)
        {
            // What means something in a URL alone (an escaped '#', say) is a character like others on a disk.
            if (ForeignName.Refuse(string.Concat(file.Name.Split('#', '?', '%')), suffix: "") is not null
                || file.Name.Contains('/', StringComparison.Ordinal))
            {
                throw new ToolException(
                    ExitCodes.Usage, $"The URI's last part, {name}, is no plain file name; give DEST with the name of a file.");
            }
        }
        else if (ForeignName.Refuse(file.Name, file.Shards is null ? ForeignName.FileSuffix : ForeignName.IndexSuffix) is { } reason)
        {
            throw NotWritten(set, $"the file {name} is not written, as its name {reason}");
        }
    }

    private static SafeTensorsFormatException NotWritten(DownloadSet set, string what) => new(
        SafeTensorsErrorKind.UnsafeShardName,
        set.Files[^1].Source.Display,
        $"{what}; download that file by itself, with a name of your own as DEST.");
}
